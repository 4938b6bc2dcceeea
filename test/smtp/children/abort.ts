/** Gives up in every state of a conversation and looks what is left behind. The servers are the parent's. */
import assert from "node:assert/strict";
import { transcript } from "../../../src/core/trace.js";
import { Pop3Client } from "../../../src/pop3/client.js";
import { SmtpClient, type SmtpClientOptions } from "../../../src/smtp/client.js";
import { deliver } from "../../../src/smtp/deliver.js";
import { SmtpPool } from "../../../src/smtp/pool.js";
import { systemResolver } from "../../../src/transport/dns.js";

interface Places {
  /** Servers' ports: one that accepts and is silent, one that speaks up to a stage, one that does not even accept. */
  readonly silent: number;
  readonly staged: number;
  readonly full: number;
  /** A DNS server that does not answer. */
  readonly dns: string;
  readonly ca: string;
}

const { silent, staged, full, dns, ca } = JSON.parse(process.argv[2] ?? "{}") as Places;
const reason = new Error("enough");
const envelope = { from: "a@x.test", to: ["b@y.test", "c@y.test"] };
const resolver = systemResolver({ servers: [dns] });
const base = { host: "127.0.0.1", proxy: false } as const;
const large = "x".repeat(50_000_000);

type Attempt = (signal: AbortSignal, told: SmtpClientOptions) => Promise<unknown>;

/** A session that stalls at a stage: the server knows it by the client's name. */
const at =
  (
    stage: string,
    use: (client: SmtpClient, signal: AbortSignal) => Promise<unknown>,
    options = {},
  ): Attempt =>
  async (signal, told) => {
    const name = `${stage}.test`;
    const client = await SmtpClient.connect({
      ...base,
      port: staged,
      tls: "none",
      name,
      signal,
      ...told,
      ...options,
    });
    try {
      return await use(client, signal);
    } finally {
      assert.equal(client.closed, true, "the connection is closed");
      // Of one chunk that is the whole message nobody knows how much of it has arrived.
      assert.equal(client.inDoubt !== undefined, stage === "dot" || stage === "bdat");
    }
  };

const auth = { user: "u", password: "p" } as const;
const send = (client: SmtpClient, signal: AbortSignal): Promise<unknown> =>
  client.send(envelope, "x\r\n", { signal });

/** The state, the last thing that the client says there, and the way to it. */
const states: readonly (readonly [state: string, last: string | undefined, attempt: Attempt])[] = [
  [
    "DNS: the MX records",
    undefined,
    async (signal) => {
      const [result] = await deliver({ from: "a@x.test", to: "b@silent.test" }, "x", {
        resolver,
        signal,
        proxy: false,
      });
      throw result?.error;
    },
  ],
  [
    "DNS: the addresses",
    undefined,
    (signal) =>
      SmtpClient.connect({ ...base, host: "silent.test", port: silent, tls: "none", resolver, signal }),
  ],
  ["connect", undefined, (signal) => SmtpClient.connect({ ...base, port: full, tls: "none", signal })],
  [
    "TLS",
    undefined,
    (signal) => SmtpClient.connect({ ...base, port: silent, tls: "implicit", tlsOptions: { ca }, signal }),
  ],
  ["greeting", undefined, (signal) => SmtpClient.connect({ ...base, port: silent, tls: "none", signal })],
  ["EHLO", "C: EHLO", at("ehlo", send)],
  ["STARTTLS", "C: STARTTLS", at("starttls", send, { tls: "starttls" })],
  ["STARTTLS: the handshake", "S: 220", at("handshake", send, { tls: "starttls", tlsOptions: { ca } })],
  ["AUTH", "C: AUTH", at("auth", send, { auth, allowClearText: true })],
  ["MAIL", "C: MAIL", at("mail", send)],
  ["RCPT", "C: RCPT", at("rcpt", send)],
  ["DATA", "C: DATA", at("data", send)],
  ["the body", "S: 354", at("body", (client, signal) => client.send(envelope, large, { signal }))],
  ["the dot", "C: [3 bytes]", at("dot", send)],
  [
    "BDAT",
    "C: BDAT",
    at("bdat", (client, signal) => client.send(envelope, large, { signal, transfer: "bdat" })),
  ],
  ["QUIT", "C: QUIT", at("quit", (client, signal) => client.quit({ signal }))],
  [
    "a pool",
    "C: MAIL",
    async (signal, told) => {
      await using pool = new SmtpPool({ ...base, port: staged, tls: "none", name: "mail.test", ...told });
      return await pool.send(envelope, "x", { signal });
    },
  ],
  [
    "POP3: greeting",
    undefined,
    (signal) => Pop3Client.connect({ ...base, port: silent, tls: "none", signal }),
  ],
  [
    "POP3: TLS",
    undefined,
    (signal) => Pop3Client.connect({ ...base, port: silent, signal, tlsOptions: { ca } }),
  ],
  ["POP3: connect", undefined, (signal) => Pop3Client.connect({ ...base, port: full, tls: "none", signal })],
  [
    "POP3: DNS",
    undefined,
    (signal) =>
      Pop3Client.connect({ ...base, host: "silent.test", port: silent, tls: "none", resolver, signal }),
  ],
];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** What the event loop waits for, but for this program's own output. */
const waitedFor = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => !/^(?:PipeWrap|TTYWrap|FSReqPromise|Immediate)$/.test(kind));

async function leave([state, last, attempt]: (typeof states)[number]): Promise<void> {
  const trace = transcript();
  const abort = new AbortController();
  const ended = attempt(abort.signal, { trace }).then(
    () => assert.fail(`${state}: it came to an end`),
    (error: unknown) => error,
  );
  // What shows in the trace has happened. Before there is one, a moment has to do.
  const isThere = (): boolean => last !== undefined && trace.lines.some((line) => line.startsWith(last));
  if (last !== undefined) while (!isThere()) await Promise.race([turn(), ended]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const startedMs = performance.now();
  abort.abort(reason);
  assert.equal(await ended, reason, state);
  const tookMs = performance.now() - startedMs;
  // What is closed goes with the next turns of the event loop.
  for (let turns = 0; turns < 100 && waitedFor().length > 0; turns += 1) await turn();
  assert.deepEqual(waitedFor(), [], `${state}: left behind`);
  console.log(`${state}: ${tookMs.toFixed(1)} ms`);
}

for (const state of states) await leave(state);
console.log("nothing is left");
