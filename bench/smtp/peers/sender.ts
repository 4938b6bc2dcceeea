/** Clients that send the same message over one connection: `sender.js hawser|nodemailer PORT MESSAGES WARM_UP BYTES`. */
import { SmtpClient } from "../../../src/smtp/index.js";
import { messageOf } from "../../messages.js";
import { reportWork } from "../../peers.js";
import { numberArgument, play } from "../../sockets/peers/peer.js";

const [port, messages, warmUp, bytes] = [1, 2, 3, 4].map(numberArgument) as [number, number, number, number];
const host = "127.0.0.1";
const from = "bench@example.org";
const to = "sink@example.org";
const message = messageOf(bytes);

await play({ hawser, nodemailer });
process.exit();

async function hawser(): Promise<void> {
  const client = await SmtpClient.connect({ host, port, tls: "none", name: "bench.example.org" });
  await send(() => client.send({ from, to }, message));
}

async function nodemailer(): Promise<void> {
  const { createTransport } = (await import("nodemailer")) as unknown as NodemailerModule;
  const options = { host, port, secure: false, ignoreTLS: true, name: "bench.example.org", logger: false };
  const pool = createTransport({ ...options, pool: true, maxConnections: 1, maxMessages: 1e9 });
  // As a Buffer and raw: nothing is composed, and nothing has to be encoded.
  await send(() => pool.sendMail({ envelope: { from, to }, raw: Buffer.from(message.buffer) }));
}

/** What is used of nodemailer. */
interface NodemailerModule {
  createTransport(options: object): { sendMail(mail: object): Promise<unknown> };
}

/** Hands in all messages at once, so that the client may send them as it sees fit. */
async function send(one: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: warmUp }, one));
  await reportWork(() => Promise.all(Array.from({ length: messages }, one)));
}
