/** Waiting for a server: not until its port is open, but until it speaks. */
import { connect } from "node:net";

const deadlineMs = 30_000;
const pauseMs = 50;

/** Resolves when the server at the port says something that begins like this. */
export async function greeted(port: number, start: string): Promise<void> {
  const untilMs = Date.now() + deadlineMs;
  while (Date.now() < untilMs) {
    if ((await firstWords(port)).startsWith(start)) return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`the server at port ${port} has not said "${start}" within ${deadlineMs} ms`);
}

function firstWords(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (words: string) => {
      socket.destroy();
      resolve(words);
    };
    socket.setTimeout(2_000, () => end(""));
    socket.once("data", (data) => end(data.toString("latin1")));
    socket.once("error", () => end(""));
    socket.once("close", () => end(""));
  });
}
