/** The tour's scenes of mail: a server and a client of hawser's, both in this process, over one store. */
import { ImapClient, ImapServer } from "../imap/index.js";
import type { Trace } from "../index.js";
import { compose, decodeWords, MemoryMailStore } from "../mail/index.js";
import { Pop3Client, Pop3Server } from "../pop3/index.js";
import { Accounts } from "../sasl/index.js";
import { SmtpClient, SmtpError, SmtpServer } from "../smtp/index.js";
import type { Scene, Stage } from "./tour-scenes.js";

const user = "alice@example.test";
const password = "tiger";
const auth = { user, password };
const subject = "Grüße aus dem Hafen";

/** The conversation as lines of the scene. */
function traceTo({ tell }: Stage): Trace {
  return { event: ({ who, text }) => tell(who, text) };
}

async function smtp(stage: Stage): Promise<void> {
  const store = MemoryMailStore.of({ [user]: [] });
  await using server = await SmtpServer.listen({
    store,
    accounts: Accounts.of({ [user]: password }),
    requireAuth: true,
  });
  const { host, port } = server;
  await using client = await SmtpClient.connect({
    host,
    port,
    tls: "none",
    auth,
    signal: stage.signal,
    trace: traceTo(stage),
  });
  const message = await compose({ from: "me@example.org", to: user, subject, text: "Ahoy!\n" });
  const { accepted } = await client.send(message.envelope, message, { signal: stage.signal });
  const received = await store.inbox(user).next({ signal: stage.signal });
  stage.tell("*", `${accepted.join()} has it, ${received.bytes.length} bytes, as they were sent`);
}

async function pop3(stage: Stage): Promise<void> {
  const content = (await compose({ from: "me@example.org", to: user, subject, text: "Ahoy!\n" })).bytes;
  const store = MemoryMailStore.of({ [user]: [{ content }] });
  await using server = await Pop3Server.listen({ store, accounts: Accounts.of({ [user]: password }) });
  const { host, port } = server;
  await using client = await Pop3Client.connect({
    host,
    port,
    tls: "none",
    auth,
    signal: stage.signal,
    trace: traceTo(stage),
  });
  const { count } = await client.stat();
  const body = await (await client.retr(count)).bytes();
  await client.dele(count);
  await client.quit();
  stage.tell("*", `the message came as it was kept: ${Buffer.compare(body, content) === 0}`);
}

async function imap(stage: Stage): Promise<void> {
  const store = MemoryMailStore.of({ [user]: [] });
  const accounts = Accounts.of({ [user]: password });
  await using inward = await SmtpServer.listen({ store });
  await using server = await ImapServer.listen({ store, accounts });
  const { host, port } = server;
  const { signal } = stage;
  await using client = await ImapClient.connect({
    host,
    port,
    tls: "none",
    auth,
    signal,
    trace: traceTo(stage),
  });
  const inbox = await client.select("INBOX");
  const events = inbox.idle({ signal });
  const first = events.next();
  await using sender = await SmtpClient.connect({
    host: inward.host,
    port: inward.port,
    tls: "none",
    signal,
  });
  const message = await compose({ from: "me@example.org", to: user, subject, text: "Ahoy!\n" });
  await sender.send(message.envelope, message, { signal });
  stage.tell(
    "*",
    `while it idles, a message comes by SMTP, and the server tells: ${(await first).value?.type}`,
  );
  await events.return?.();
  for await (const { uid, envelope } of inbox.fetch("1:*", ["ENVELOPE"], { signal }))
    stage.tell("*", `UID ${uid}: ${decodeWords(envelope.subject ?? "")}`);
}

async function faults(stage: Stage): Promise<void> {
  const store = MemoryMailStore.of({ [user]: [] });
  const busy = { on: "RCPT", reply: "451 4.3.0 come back later", times: 1 };
  await using server = await SmtpServer.listen({ store, faults: [busy] });
  const { host, port } = server;
  await using client = await SmtpClient.connect({
    host,
    port,
    tls: "none",
    signal: stage.signal,
    trace: traceTo(stage),
  });
  const send = () => client.send({ from: "me@example.org", to: user }, "Subject: once more\r\n\r\nAhoy!\r\n");
  try {
    await send();
  } catch (error) {
    if (!(error instanceof SmtpError) || error.permanent) throw error;
    stage.tell("*", `${error.replyCode} is not for ever, and the connection still lives: once more`);
    await send();
  }
}

/** What they are called, and what they show. */
export const mailScenes: readonly Scene[] = [
  {
    name: "smtp",
    shows: "a login by SCRAM, a message, and the mailbox it ends in",
    run: smtp,
  },
  { name: "pop3", shows: "a mailbox read and emptied", run: pop3 },
  { name: "imap", shows: "a mailbox that tells what comes in", run: imap },
  { name: "faults", shows: "a server that is told to fail, and a client that copes", run: faults },
];
