/** Clients that fetch a mailbox: `fetcher.js hawser|node-pop3 PORT USER PASSWORD MESSAGES WARM_UP`. */
import { createRequire } from "node:module";
import { Pop3Client } from "../../../src/pop3/index.js";
import { benchModules } from "../../contenders.js";
import { reportWork } from "../../peers.js";
import { args, numberArgument, play } from "../../sockets/peers/peer.js";

const [port, messages, warmUp] = [1, 4, 5].map(numberArgument) as [number, number, number];
const [user = "", password = ""] = args.slice(2);
const host = "127.0.0.1";
const depth = 16;

await play({ hawser, "node-pop3": nodePop3 });
process.exit();

async function hawser(): Promise<void> {
  const auth = { user, password };
  const client = await Pop3Client.connect({ host, port, tls: "none", auth, allowClearText: true });
  const fetch = async (count: number): Promise<void> => {
    for await (const { body } of client.retrMany(numbers(count), { depth })) await body.bytes();
  };
  await fetch(warmUp);
  await reportWork(() => fetch(messages));
}

async function nodePop3(): Promise<void> {
  const Pop3Command = createRequire(benchModules)("node-pop3") as NodePop3;
  const client = new Pop3Command({ host, port, user, password });
  const fetch = async (count: number): Promise<void> => {
    for (const number of numbers(count)) await client.RETR(number);
  };
  await fetch(warmUp);
  await reportWork(() => fetch(messages));
}

/** What is used of node-pop3. */
type NodePop3 = new (options: object) => { RETR(number: number): Promise<string> };

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
