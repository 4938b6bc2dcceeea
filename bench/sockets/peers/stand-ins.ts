/** What plays the C programs' parts where there is no compiler, in their names and with their arguments. */
import { connect, createServer, type Socket } from "node:net";
import { listenNode, numberArgument, play, report, secondsSince } from "./peer.js";

const block = new Uint8Array(262_144);

await play({
  "stream-source": () => listenNode(createServer(pour)),
  sink: () => listenNode(createServer({ allowHalfOpen: true }, drain)),
  "echo-load": load,
});

function pour(socket: Socket): void {
  const more = () => {
    while (socket.writable && socket.write(block));
  };
  socket.on("drain", more).on("error", () => socket.destroy());
  more();
}

function drain(socket: Socket): void {
  socket.resume().on("end", () => socket.end());
}

function load(): void {
  const [port, connections, bytes] = [numberArgument(1), numberArgument(2), numberArgument(3)];
  const message = new Uint8Array(bytes);
  let messages = 0;
  for (let index = 0; index < connections; index += 1) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(message));
    let missing = bytes;
    socket.on("data", (data) => {
      missing -= data.length;
      if (missing > 0) return;
      missing = bytes;
      messages += 1;
      socket.write(message);
    });
  }
  setTimeout(() => {
    messages = 0;
    const startMs = performance.now();
    const finish = () => report("messages_per_second", messages / secondsSince(startMs));
    setTimeout(finish, numberArgument(5) * 1000);
  }, numberArgument(4) * 1000);
}
