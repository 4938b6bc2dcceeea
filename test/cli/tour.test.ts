import assert from "node:assert/strict";
import { test } from "node:test";
import { hawser, output } from "./hawser.js";

const names = [
  ...[
    "simple",
    "echo",
    "blocking",
    "lookup",
    "udp",
    "unix",
    "syslog",
    "descriptor",
    "multicast",
    "answer-from",
  ],
  ...["crowd", "batch", "patience", "sendfile", "ping", "smtp", "pop3", "imap", "faults"],
];

interface Document {
  readonly schemaVersion: number;
  readonly ok: boolean;
  readonly scenes: {
    readonly name: string;
    readonly status: string;
    readonly reason?: string;
    readonly ms: number;
    readonly transcript: { readonly speaker: string; readonly text: string }[];
  }[];
}

test("the tour shows every conversation, and a table of them", async () => {
  const stdout = await output(["tour"]);
  assert.match(stdout, /^hawser \d.*this machine\n/);
  assert.match(stdout, /\nS: Thank you for connecting\n/);
  assert.match(stdout, /\nS: This is the mess\nS: age\. It will be \nS: repeated\.\n/);
  const table = stdout.slice(stdout.indexOf("\nscene "));
  for (const name of names) assert.match(table, new RegExp(`\n${name} .* ms  (ok|skipped \\(.+\\))\n`));
  assert.match(table, /\d+ shown, \d skipped, 0 failed, in /);
  assert.match(table, /What to try next:\n {2}\S/);
  assert.ok(!stdout.includes("\u001b"), "no escape byte in a pipe");
});

test("the tour as a JSON document", async () => {
  const document = JSON.parse(await output(["tour", "--json"])) as Document;
  assert.equal(document.schemaVersion, 1);
  assert.equal(document.ok, true);
  assert.deepEqual(
    document.scenes.map(({ name }) => name),
    names,
  );
  for (const { name, status, reason, transcript } of document.scenes) {
    if (status === "skipped") assert.ok(reason, `${name} says why`);
    else assert.equal(status, "ok", `${name}: ${reason}`);
    for (const { speaker } of transcript) assert.match(speaker, /^[CS*]$/);
  }
});

test("a tour of chosen scenes", async () => {
  const stdout = await output(["tour", "udp", "echo"]);
  assert.ok(stdout.indexOf("\nudp:") < stdout.indexOf("\necho:"));
  assert.match(stdout, /\n2 shown, 0 skipped, 0 failed/);
  const { code, stderr } = await hawser(["tour", "ehco"]);
  assert.equal(code, 2);
  assert.match(stderr, /There are simple, echo/);
});

test("colour is for terminals, unless the environment says otherwise", async () => {
  const forced = await hawser(["tour", "simple"], "", { FORCE_COLOR: "1" });
  assert.ok(forced.stdout.includes("\u001b["));
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    const { stdout } = await hawser(["tour", "simple"], "", env);
    assert.ok(!stdout.includes("\u001b"));
  }
});
