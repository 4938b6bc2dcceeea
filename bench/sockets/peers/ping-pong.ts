/** A client that measures round trips: `ping-pong promise|sync|net PORT BYTES WARM_UP_ROUNDS ROUNDS`. */
import { connect } from "node:net";
import { AF_INET, type AfInet, Socket } from "../../../src/socket/index.js";
import { median } from "../../figures.js";
import { numberArgument, play, report } from "./peer.js";

const port = numberArgument(1);
const message = new Uint8Array(numberArgument(2)).fill(0x78);
/** As most programs do: room for more than comes. */
const bufferBytes = 4096;
const warmUpRounds = numberArgument(3);
const times = new Float64Array(numberArgument(4));

await play({ promise, sync, net });

async function promise(): Promise<void> {
  using socket = await connected();
  const buffer = new Uint8Array(bufferBytes);
  for (let round = -warmUpRounds; round < times.length; round += 1) {
    const startMs = performance.now();
    await socket.sendall(message);
    for (let got = 0; got < message.length; ) got += await socket.recvInto(buffer);
    note(round, startMs);
  }
  finish();
}

async function sync(): Promise<void> {
  using socket = await connected();
  const buffer = new Uint8Array(bufferBytes);
  for (let round = -warmUpRounds; round < times.length; round += 1) {
    const startMs = performance.now();
    socket.sendallSync(message);
    for (let got = 0; got < message.length; ) got += socket.recvIntoSync(buffer);
    note(round, startMs);
  }
  finish();
}

function net(): void {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let round = -warmUpRounds;
  let got = 0;
  let startMs = 0;
  const send = () => {
    startMs = performance.now();
    socket.write(message);
  };
  socket.on("connect", send);
  socket.on("data", (data) => {
    got += data.length;
    if (got < message.length) return;
    got = 0;
    note(round, startMs);
    round += 1;
    if (round < times.length) return send();
    socket.destroy();
    finish();
  });
}

async function connected(): Promise<Socket<AfInet>> {
  const socket = new Socket(AF_INET);
  await socket.connect(["127.0.0.1", port]);
  socket.noDelay = true;
  return socket;
}

function note(round: number, startMs: number): void {
  if (round >= 0) times[round] = performance.now() - startMs;
}

function finish(): void {
  report("median_us", median(Array.from(times)) * 1000);
}
