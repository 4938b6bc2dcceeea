/** A client as small as can be, which looks for the ends of its commands: `load.js load PORT USER PASSWORD MESSAGES TIMES`. */
import { connect, type Socket } from "node:net";
import { args, numberArgument, play, report } from "../../sockets/peers/peer.js";

const [port, messages, times] = [numberArgument(1), numberArgument(4), numberArgument(5)] as const;
const [user = "", password = ""] = args.slice(2);
let tags = 0;

await play({ load });
process.exit();

async function load(): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await run(socket, `LOGIN ${user} ${password}`);
  await select(socket);
  await select(socket);
  report("warm", 1);
  // The bench looks at the server's clock now.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const startMs = performance.now();
  for (let round = 0; round < times; round += 1) await select(socket);
  report("ms", performance.now() - startMs);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

async function select(socket: Socket): Promise<void> {
  await run(socket, "SELECT INBOX");
  const lines = await run(socket, "FETCH 1:* (FLAGS)");
  if (lines < messages) throw new Error(`${lines} lines for ${messages} messages`);
}

/** Runs a command and counts the lines of its answer. */
async function run(socket: Socket, command: string): Promise<number> {
  tags += 1;
  const end = Buffer.from(`T${tags} OK`);
  socket.write(`T${tags} ${command}\r\n`);
  let lines = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    if (socket.readableLength === 0) await new Promise((resolve) => socket.once("readable", resolve));
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) continue;
    lines += linesOf(chunk);
    const seen = Buffer.concat([rest, chunk]);
    if (seen.includes(end)) return lines;
    rest = seen.subarray(-end.length);
  }
}

function linesOf(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}
