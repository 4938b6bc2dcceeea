/** Handlers, and how a server begins and ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ImapError, type ImapRefusal } from "../../src/imap/errors.js";
import { ImapServer } from "../../src/imap/server.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import { nodeProvider } from "../../src/transport/node.js";
import { accounts, Client, message, stage } from "./server-support.js";

test("a handler hears of clients, and may refuse them", async () => {
  const store = MemoryMailStore.of({ alice: [message("one")] });
  const heard: string[] = [];
  const handler = {
    connect: ({ id }: { readonly id: number }) => {
      heard.push(`connect ${id}`);
      if (id === 2) throw new Error("not on Sundays");
    },
    open: ({ identity }: { readonly identity: { readonly user: string } | undefined }) => {
      heard.push(`open ${identity?.user}`);
      if (identity?.user === "bob") throw new Error("no mail for bob");
      return { user: "alice", store };
    },
    close: ({ id }: { readonly id: number }) => void heard.push(`close ${id}`),
  };
  await using on = stage([], { store: undefined, handler });
  const client = await on.client();
  await client.ok("SELECT INBOX");
  const refused = on.connect();
  assert.equal(await refused.line(), "* BYE not now");
  assert.equal(await refused.ended(), true);
  const other = on.connect();
  await other.line();
  assert.equal(await other.refused("LOGIN bob hidden"), "NO [SERVERBUG] something went wrong here");
  assert.match(await other.refused("SELECT INBOX"), /^BAD/);
  await client.ok("LOGOUT");
  await client.ended();
  assert.deepEqual(heard, ["connect 1", "open alice", "connect 2", "connect 3", "open bob", "close 1"]);
  assert.equal(on.errors.length, 2);
});

test("a handler's ImapError is what the client hears, unless a line cannot hold it", async () => {
  const refusals: ImapRefusal[] = [
    { status: "NO", code: { name: "UNAVAILABLE" }, text: "your mail is being moved" },
    { status: "NO", text: "two\r\n* lines" },
    { status: "NO", code: { name: "other", label: "X", text: "a] b" }, text: "a code" },
  ];
  const handler = {
    open: (): never => {
      throw new ImapError(refusals.shift() ?? { status: "BAD", text: "once more" });
    },
  };
  await using on = stage([], { store: undefined, handler, maxAuthFailures: 10 });
  const client = on.connect();
  await client.line();
  assert.equal(await client.refused("LOGIN alice secret"), "NO [UNAVAILABLE] your mail is being moved");
  assert.equal(await client.refused("LOGIN alice secret"), "NO [SERVERBUG] something went wrong here");
  assert.equal(await client.refused("LOGIN alice secret"), "NO [SERVERBUG] something went wrong here");
  assert.equal(await client.refused("LOGIN alice secret"), "BAD once more");
  assert.equal(on.errors.length, 2);
});

test("a server that closes says BYE to those who wait and to those who idle", async () => {
  const store = MemoryMailStore.of({ alice: [] });
  const server = await ImapServer.listen({ port: 0, store, accounts, allowClearTextAuth: true });
  const clients: Client[] = [];
  for (let at = 0; at < 2; at += 1) {
    const client = new Client(await nodeProvider.connect({ host: server.host, port: server.port }));
    clients.push(client);
    await client.line();
    await client.ok("LOGIN alice secret");
  }
  await clients[1]?.write("a IDLE\r\n");
  await clients[1]?.line();
  assert.equal(server.connections, 2);
  const closing = server.close({ graceMs: 5000 });
  for (const client of clients) {
    assert.equal(await client.line(), "* BYE the server is closing");
    await client.close();
  }
  await closing;
  assert.equal(server.connections, 0);
});

test("one client more than there may be is let go", async () => {
  const store = MemoryMailStore.of({ alice: [] });
  await using server = await ImapServer.listen({ port: 0, store, accounts, maxConnections: 1 });
  const client = new Client(await nodeProvider.connect({ host: server.host, port: server.port }));
  await client.line();
  const other = new Client(await nodeProvider.connect({ host: server.host, port: server.port }));
  await assert.rejects(other.line());
  await client.close();
});

test("options that cannot be", () => {
  const store = MemoryMailStore.of({});
  assert.throws(() => new ImapServer({}), /needs a handler or a store/);
  assert.throws(() => new ImapServer({ store }), /needs accounts/);
  assert.throws(() => new ImapServer({ store, accounts, name: "a b" }), /name has characters/);
  assert.throws(() => new ImapServer({ store, accounts, maxPreAuthLineBytes: 10 }), /512 bytes at least/);
  const open = () => ({ user: "alice", store });
  assert.throws(() => new ImapServer({ store, accounts, handler: { open } }), /not both/);
});
