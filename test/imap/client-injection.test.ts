/**
 * CR, LF and NUL in every string that a public method takes. What cannot be sent throws before a byte is written; what
 * IMAP can say goes out whole, as one literal. A method that is not in the table fails the test.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HawserError, LocalProtocolError } from "../../src/core/errors.js";
import { ImapClient } from "../../src/imap/client.js";
import { Mailbox } from "../../src/imap/client-mailbox.js";
import { astring, atom, flag, list, mailbox as mailboxPart, string } from "../../src/imap/codec-parts.js";
import { allCapabilities, talkInMailbox } from "./client-support.js";

type Call = (text: string, client: ImapClient, mailbox: Mailbox) => unknown;

/** `name`: no CR, LF or NUL may stand there. `value`: CR and LF go out in a literal, NUL may not. */
interface Arguments {
  readonly names?: readonly Call[];
  readonly values?: readonly Call[];
}

const none: Arguments = {};

const ofClient: Readonly<Record<string, Arguments>> = {
  ...{
    capability: none,
    noop: none,
    logout: none,
    unauthenticate: none,
    compress: none,
    namespace: none,
    close: none,
  },
  ...{ has: none, startTls: none },
  authenticate: {
    names: [(t, c) => c.authenticate({ user: "a", password: "b", mechanism: t })],
    values: [
      (t, c) => c.authenticate({ user: t, password: "b" }),
      (t, c) => c.authenticate({ user: "a", password: t }),
    ],
  },
  login: { values: [(t, c) => c.login(t, "b"), (t, c) => c.login("a", t)] },
  enable: { names: [(t, c) => c.enable([t])] },
  select: { names: [(t, c) => c.select(t)] },
  create: { names: [(t, c) => c.create(t), (t, c) => c.create("a", { use: [t] })] },
  delete: { names: [(t, c) => c.delete(t)] },
  rename: { names: [(t, c) => c.rename(t, "b"), (t, c) => c.rename("a", t)] },
  subscribe: { names: [(t, c) => c.subscribe(t)] },
  unsubscribe: { names: [(t, c) => c.unsubscribe(t)] },
  list: {
    names: [
      (t, c) => c.list({ pattern: t }),
      (t, c) => c.list({ pattern: ["a", t] }),
      (t, c) => c.list({ reference: t }),
      (t, c) => c.list({ return: [t as "CHILDREN"] }),
      (t, c) => c.list({ status: [t as "MESSAGES"] }),
    ],
    values: [(t, c) => c.list({ metadata: [t] })],
  },
  lsub: { names: [(t, c) => c.lsub(t), (t, c) => c.lsub("*", { reference: t })] },
  status: { names: [(t, c) => c.status(t), (t, c) => c.status("a", [t as "MESSAGES"])] },
  // The message itself is the caller's business, but for NUL.
  append: {
    names: [(t, c) => c.append(t, "m"), (t, c) => c.append("a", "m", { flags: [t] })],
    values: [(t, c) => c.append("a", t)],
  },
  appendMany: {
    names: [
      (t, c) => c.appendMany(t, [{ source: "m" }]),
      (t, c) => c.appendMany("a", [{ source: "m", flags: [t] }]),
    ],
  },
  notify: {
    names: [
      (t, c) => c.notify([{ mailboxes: { subtree: t }, events: ["MessageNew"] }]),
      (t, c) => c.notify([{ mailboxes: t as "selected", events: ["MessageNew"] }]),
      (t, c) => c.notify([{ mailboxes: "selected", events: [t as "MessageNew"] }]),
      (t, c) => c.notify([{ mailboxes: "selected", events: ["MessageNew"], fetch: [t as "FLAGS"] }]),
    ],
  },
  id: { values: [(t, c) => c.id({ name: t }), (t, c) => c.id({ [t]: "v" })] },
  getQuota: { values: [(t, c) => c.getQuota(t)] },
  getQuotaRoot: { names: [(t, c) => c.getQuotaRoot(t)] },
  setQuota: {
    names: [(t, c) => c.setQuota("", { [t]: 1 })],
    values: [(t, c) => c.setQuota(t, { STORAGE: 1 })],
  },
  getAcl: { names: [(t, c) => c.getAcl(t)] },
  setAcl: {
    names: [(t, c) => c.setAcl(t, "joe", "l"), (t, c) => c.setAcl("a", "joe", t)],
    values: [(t, c) => c.setAcl("a", t, "l")],
  },
  deleteAcl: { names: [(t, c) => c.deleteAcl(t, "joe")], values: [(t, c) => c.deleteAcl("a", t)] },
  listRights: { names: [(t, c) => c.listRights(t, "joe")], values: [(t, c) => c.listRights("a", t)] },
  myRights: { names: [(t, c) => c.myRights(t)] },
  getMetadata: {
    names: [(t, c) => c.getMetadata(t, ["/a"]), (t, c) => c.getMetadata("a", ["/a"], { depth: t as "0" })],
    values: [(t, c) => c.getMetadata("a", [t])],
  },
  setMetadata: {
    names: [(t, c) => c.setMetadata(t, { "/a": "v" })],
    values: [(t, c) => c.setMetadata("a", { [t]: "v" }), (t, c) => c.setMetadata("a", { "/a": t })],
  },
  command: {
    names: [
      (t, c) => c.command([atom(t)]),
      (t, c) => c.command([atom("X"), flag(t)]),
      (t, c) => c.command([atom("X"), list(mailboxPart(t))]),
    ],
    values: [(t, c) => c.command([atom("X"), astring(t)]), (t, c) => c.command([atom("X"), string(t)])],
  },
};

const ofMailbox: Readonly<Record<string, Arguments>> = {
  ...{ idle: none, check: none, close: none, unselect: none },
  fetch: {
    names: [
      (t, _, m) => m.fetch(t, ["FLAGS"]).all(),
      (t, _, m) => m.fetch("1", [t as "FLAGS"]).all(),
      (t, _, m) => m.fetch("1", [`BODY[HEADER.FIELDS (${t})]`]).all(),
    ],
  },
  fetchOne: { names: [(t, _, m) => m.fetchOne(1, [t as "FLAGS"])] },
  search: {
    names: [
      (t, _, m) => m.search({ keyword: t }),
      (t, _, m) => m.search({ header: { [t]: "v" } }),
      (t, _, m) => m.search({ uid: t }),
      (t, _, m) => m.search({}, { return: [t as "MIN"] }),
      (t, _, m) => m.search({ key: t as "ALL" }),
    ],
    values: [
      (t, _, m) => m.search({ subject: t }),
      (t, _, m) => m.search({ header: { X: t } }),
      (t, _, m) => m.search({ gmailRaw: t }),
      (t, _, m) => m.search({ not: { emailId: t } }),
    ],
  },
  sort: {
    names: [
      (t, _, m) => m.sort({}, [t as "date"]),
      (t, _, m) => m.sort({}, ["date"], { return: [t as "MIN"] }),
    ],
    values: [(t, _, m) => m.sort({ text: t }, ["date"])],
  },
  thread: {
    names: [(t, _, m) => m.thread({}, { algorithm: t as "REFS" })],
    values: [(t, _, m) => m.thread({ text: t })],
  },
  store: {
    names: [
      (t, _, m) => m.store(t, "add", ["a"]),
      (t, _, m) => m.store(1, "add", [t]),
      (t, _, m) => m.store(1, t as "add", ["a"]),
    ],
  },
  storeLabels: {
    names: [(t, _, m) => m.storeLabels(t, "add", ["a"]), (t, _, m) => m.storeLabels(1, "add", [t])],
  },
  copy: { names: [(t, _, m) => m.copy(t, "a"), (t, _, m) => m.copy(1, t)] },
  move: { names: [(t, _, m) => m.move(t, "a"), (t, _, m) => m.move(1, t)] },
  expunge: { names: [(t, _, m) => m.expunge(t)] },
  replace: {
    names: [(t, _, m) => m.replace(1, "m", { flags: [t] }), (t, _, m) => m.replace(1, "m", { to: t })],
    values: [(t, _, m) => m.replace(1, t)],
  },
};

function methodsOf(prototype: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === "function" && name !== "constructor")
    .map(([name]) => name);
}

for (const [name, prototype, table] of [
  ["ImapClient", ImapClient.prototype, ofClient],
  ["Mailbox", Mailbox.prototype, ofMailbox],
] as const) {
  test(`every method of ${name} is in the table`, () => {
    assert.deepEqual(methodsOf(prototype).sort(), Object.keys(table).sort());
  });
  for (const [method, { names = [], values = [] }] of Object.entries(table)) {
    if (names.length + values.length > 0) test(`${name}.${method}`, () => hold(names, values));
  }
}

async function hold(names: readonly Call[], values: readonly Call[]): Promise<void> {
  for (const call of names)
    for (const bad of ["a\rb", "a\nb", "x\r\nA9 LOGOUT", "a\0b"]) await refused(call, bad);
  for (const call of values) {
    await refused(call, "a\0b");
    for (const odd of ["a\rb", "a\nb", "x\r\nA9 LOGOUT"]) await whole(call, odd);
  }
}

const options = { capabilities: allCapabilities, client: { allowClearText: true } } as const;

/** Nothing was sent, and the connection goes on. */
async function refused(call: Call, text: string): Promise<void> {
  const { client, server, mailbox } = await talkInMailbox(options);
  const before = server.received.length;
  const serving = server.serve();
  await assert.rejects(
    async () => await call(text, client, mailbox),
    (error) => error instanceof HawserError && (error instanceof LocalProtocolError || error.sent === "no"),
    `${call} ${JSON.stringify(text)}`,
  );
  await client.noop();
  assert.deepEqual(
    server.received.slice(before).map(({ text: said }) => said),
    ["NOOP"],
    String(call),
  );
  await client.close();
  await serving;
}

/** It is refused as well, or it goes out as one command with the text in a literal (or in base64). */
async function whole(call: Call, text: string): Promise<void> {
  const { client, server, mailbox } = await talkInMailbox(options);
  const before = server.received.length;
  const serving = server.serve((said) => (said.startsWith("NOOP") ? undefined : "$ NO not here\r\n"));
  await Promise.resolve()
    .then(() => call(text, client, mailbox))
    .catch((error: unknown) => assert.ok(error instanceof HawserError, String(error)));
  await client.noop();
  const sent = server.received.slice(before, -1);
  assert.ok(sent.length <= 1, String(call));
  for (const { text: said } of sent) {
    if (/[\r\n]/.test(said)) assert.ok(said.includes(`{${text.length}+}\r\n${text}`), JSON.stringify(said));
  }
  await client.close();
  await serving;
}
