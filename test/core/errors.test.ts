import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as errors from "../../src/core/errors.js";

const reply = { reply: { code: 550 }, command: "RCPT TO:<a@b>", permanent: true };
const system = { errno: 111, code: "ECONNREFUSED", syscall: "connect" };
type Row = readonly [
  errors.HawserError,
  code: string,
  fault: errors.Fault,
  sent: errors.Sent,
  usable: boolean,
];

/** docs/errors.md is this table. */
const table: readonly Row[] = [
  [new errors.LocalProtocolError("no"), "HAWSER_LOCAL_PROTOCOL", "caller", "no", true],
  [new errors.ReplyError("no", reply), "HAWSER_REPLY", "peer", "yes", true],
  [new errors.AuthError("no", reply), "HAWSER_AUTH", "credentials", "yes", true],
  [new errors.RemoteProtocolError("no"), "HAWSER_REMOTE_PROTOCOL", "peer", "perhaps", false],
  [new errors.LimitError("a line", 8), "HAWSER_LIMIT", "peer", "perhaps", false],
  [new errors.DeadlineError("it", 8), "HAWSER_DEADLINE", "time", "perhaps", false],
  [new errors.BrokenError("no"), "HAWSER_BROKEN", "network", "perhaps", false],
  [new errors.ClosedError("no"), "HAWSER_CLOSED", "caller", "no", false],
  [new errors.BusyError("no"), "HAWSER_BUSY", "caller", "no", true],
  [new errors.UnsupportedError("it", "no"), "HAWSER_UNSUPPORTED", "platform", "no", true],
  [new errors.SocketError("no", system), "ECONNREFUSED", "network", "perhaps", true],
  [new errors.RefusedError("no", system), "ECONNREFUSED", "network", "perhaps", true],
  [new errors.ResetError("no", system), "ECONNREFUSED", "network", "perhaps", false],
  [new errors.InUseError("no", system), "ECONNREFUSED", "network", "perhaps", true],
  [new errors.TimedOutError("no", system), "ECONNREFUSED", "network", "perhaps", true],
  [new errors.WouldBlockError("no", system), "ECONNREFUSED", "network", "perhaps", true],
  [new errors.NameError("no", system), "ECONNREFUSED", "network", "perhaps", true],
];
for (const [error, ...facts] of table) {
  test(`${error.name} states its facts`, () => {
    assert.deepEqual([error.code, error.fault, error.sent, error.usable], facts);
    assert.ok(error instanceof errors.HawserError && error instanceof Error);
    assert.equal(error.name, error.constructor.name);
    assert.equal(Object.hasOwn(error, "cause"), false);
  });
}

test("every class of errors is in the table", () => {
  const classes = Object.values(errors).filter((value) => value !== errors.HawserError);
  assert.deepEqual(new Set(table.map(([error]) => error.constructor)), new Set(classes));
});

test("docs/errors.md says the same of each", () => {
  const text = readFileSync(fileURLToPath(new URL("../../../docs/errors.md", import.meta.url)), "utf8");
  for (const [{ name }, code, fault, sent, usable] of table) {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
    const cells = row?.split("|").map((cell) => cell.trim()) ?? [];
    const errno = code.startsWith("HAWSER_") ? `\`${code}\`` : "its errno's name";
    assert.deepEqual(cells.slice(2, 6), [errno, fault, sent, usable ? "yes" : "no"], name);
  }
});

test("whoever throws may know better", () => {
  const cause = new Error("why");
  const error = new errors.DeadlineError("it", 8, { usable: true, sent: "no", cause });
  assert.deepEqual([error.usable, error.sent, error.cause, error.fault], [true, "no", cause, "time"]);
  const refused = new errors.ReplyError("no", { ...reply, errorCode: "HAWSER_X", fault: "credentials" });
  assert.deepEqual([refused.code, refused.fault, refused.permanent], ["HAWSER_X", "credentials", true]);
});

const excerpts: readonly [excerpt: string | Uint8Array, shown: string][] = [
  ["plain", "plain"],
  ["a\r\nb\0\x7f\t", "a\\x0d\\x0ab\\x00\\x7f\\x09"],
  ["\x1b[2J\x9b2J", "\\x1b[2J\\x9b2J"],
  ["\u202egnp.exe\u2028x\ufeff", "\\u{202e}gnp.exe\\u{2028}x\\u{feff}"],
  [Uint8Array.of(0xff, 0x41), "\ufffdA"],
  ["é €", "é €"],
  ["x".repeat(201), "x".repeat(200)],
  [new Uint8Array(1_000_000).fill(0x78), "x".repeat(200)],
];
test("an excerpt is short and safe to print", () => {
  for (const [excerpt, shown] of excerpts) {
    const error = new errors.RemoteProtocolError("odd", { excerpt, rfc: "RFC 5321 section 4.2" });
    assert.equal(error.excerpt, shown);
    assert.equal(error.message, `odd: "${shown}"`);
    assert.equal(error.rfc, "RFC 5321 section 4.2");
  }
  assert.equal(new errors.RemoteProtocolError("odd").message, "odd");
});
