/** Web streams over a connected socket. */
import { SHUT_WR } from "./constants.js";
import type { Socket } from "./socket.js";
import type { Family } from "./types.js";

/** The size of one read, in bytes. */
const readBytes = 65536;

/** Reads when a reader asks (no more than one chunk ahead); a cancel closes the socket. */
export function readableStream<F extends Family>(socket: Socket<F>): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await socket.recv(readBytes, { signal: stop.signal });
        if (chunk.length > 0) controller.enqueue(chunk);
        else controller.close();
      },
      cancel(reason) {
        stop.abort(reason);
        socket.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Each chunk is sent whole before the next one is taken; `close` half-closes, `abort` closes the socket. */
export function writableStream<F extends Family>(socket: Socket<F>): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: (chunk, controller) => socket.sendall(chunk, { signal: controller.signal }),
    close: () => socket.shutdown(SHUT_WR),
    abort: () => socket.close(),
  });
}
