/**
 * CPython's test_socket.py: sendfile(). Python has two ways to do it, with send() and with os.sendfile(); hawser has one
 * in two forms. The behaviours of SendfileUsingSendTest are shown with `sendFile()`, those of SendfileUsingSendfileTest
 * with `sendFileSync()`. What arrives is counted and hashed in a thread of its own, by Node's own sockets.
 */
import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { DeadlineError, LocalProtocolError } from "../../../src/core/errors.js";
import {
  createConnection,
  createServer,
  type FileLike,
  type SendFileOptions,
  SOCK_DGRAM,
  Socket,
  socketPair,
} from "../../../src/socket/index.js";

const timeout = 30_000;
const waitMs = 10_000;
const fileBytes = 10 * 1024 * 1024;
const data: Uint8Array = randomFillSync(new Uint8Array(fileBytes));

const folder = mkdtempSync(join(tmpdir(), "hawser-sendfile-"));
const path = join(folder, "data");

/** Reports its port, then for each connection how many bytes came and their hash. */
const receiverCode = `
const { createServer } = require("node:net");
const { createHash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const server = createServer((connection) => {
  const hash = createHash("sha256");
  let bytes = 0;
  connection.on("data", (chunk) => { hash.update(chunk); bytes += chunk.length; });
  connection.on("error", (error) => parentPort.postMessage({ error: error.message }));
  connection.on("end", () => parentPort.postMessage({ bytes, hash: hash.digest("hex") }));
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

let receiver: Worker;
let port: number;

function nextMessage(): Promise<unknown> {
  return once(receiver, "message", { signal: AbortSignal.timeout(waitMs) }).then(([message]) => message);
}

before(async () => {
  writeFileSync(path, data);
  receiver = new Worker(receiverCode, { eval: true });
  port = (await nextMessage()) as number;
});

after(async () => {
  await receiver.terminate();
  rmSync(folder, { recursive: true });
});

type SendFile = (socket: Socket, file: FileLike, options?: SendFileOptions) => Promise<number>;

const forms: Record<string, SendFile> = {
  SendfileUsingSendTest: (socket, file, options) => socket.sendFile(file, options),
  SendfileUsingSendfileTest: async (socket, file, options) => socket.sendFileSync(file, options),
};

function connect(timeoutMs: number | null = null): Promise<Socket> {
  return createConnection(["127.0.0.1", port], { timeoutMs: waitMs }).then((socket) => {
    socket.timeoutMs = timeoutMs;
    return socket;
  });
}

/** Sends a file over a connection of its own: what `sendFile` returned, and that exactly `want` arrived. */
async function delivers(
  send: SendFile,
  want: Uint8Array,
  { file = path, timeoutMs = null, ...options }: SendFileOptions & { file?: string } = {},
): Promise<void> {
  const fd = openSync(file, "r");
  try {
    using socket: Socket = await connect(timeoutMs);
    const received = nextMessage();
    assert.equal(await send(socket, fd, options), want.length);
    socket.close();
    const hash = createHash("sha256").update(want).digest("hex");
    assert.deepEqual(await received, { bytes: want.length, hash });
    // Python moves the file's own position to behind what was sent; here it is left alone.
    const first = new Uint8Array(1);
    const read = readSync(fd, first, 0, 1, null);
    assert.deepEqual([read, first[0]], readFileSync(file).length === 0 ? [0, 0] : [1, data[0]]);
  } finally {
    closeSync(fd);
  }
}

function withFile(body: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync(path, "r");
  return body(fd).finally(() => closeSync(fd));
}

for (const [className, send] of Object.entries(forms)) {
  const port = (method: string, body: () => Promise<void>, note?: string) => {
    const id = `cpython: ${className}.${method}`;
    test(note === undefined ? id : `${id} – ${note}`, { timeout }, body);
  };

  port("testRegularFile", () => delivers(send, data), "the file's own position is left alone");

  port(
    "testNonRegularFile",
    async () => {
      const [read, write] = socketPair();
      using socket: Socket = await connect();
      const received = nextMessage();
      write.sendallSync(data.subarray(0, 1000));
      await assert.rejects(send(socket, read.fileno()), LocalProtocolError);
      await assert.rejects(send(socket, data as unknown as FileLike), LocalProtocolError);
      await socket.sendall(data);
      for (const open of [read, write, socket]) open.close();
      assert.deepEqual(await received, {
        bytes: fileBytes,
        hash: createHash("sha256").update(data).digest("hex"),
      });
    },
    "what has no descriptor to send from is refused, and sent with sendall",
  );

  port("testEmptyFileSend", async () => {
    const file = join(folder, `empty-${className}`);
    writeFileSync(file, "");
    await delivers(send, new Uint8Array(0), { file });
  });

  port("testOffset", () => delivers(send, data.subarray(5000), { offset: 5000 }));

  port("testCount", () =>
    delivers(send, data.subarray(0, 5_000_007), { count: 5_000_007, timeoutMs: waitMs }),
  );

  port("testCountSmall", () => delivers(send, data.subarray(0, 1), { count: 1, timeoutMs: waitMs }));

  port("testCountWithOffset", () =>
    delivers(send, data.subarray(2007, 2007 + 100_007), { offset: 2007, count: 100_007, timeoutMs: waitMs }),
  );

  port("testNonBlocking", () =>
    withFile(async (fd) => {
      using socket: Socket = await connect();
      const received = nextMessage();
      socket.setblocking(false);
      await assert.rejects(send(socket, fd), LocalProtocolError);
      socket.close();
      assert.equal(((await received) as { bytes: number }).bytes, 0);
    }),
  );

  port("testWithTimeout", () => delivers(send, data, { timeoutMs: waitMs }));

  port("testWithTimeoutTriggeredSend", () =>
    withFile(async (fd) => {
      using listener: Socket = (await createServer(["127.0.0.1", 0])) as unknown as Socket;
      // Nobody accepts, and nobody reads: a window this small is soon full.
      listener.receiveBufferBytes = 4096;
      using socket: Socket = await createConnection(listener.getsockname() as [string, number], {
        timeoutMs: waitMs,
      });
      socket.timeoutMs = 10;
      await assert.rejects(send(socket, fd), DeadlineError);
    }),
  );

  port(
    "test_errors",
    () =>
      withFile(async (fd) => {
        using datagrams: Socket = new Socket(undefined, SOCK_DGRAM);
        const refused = (pattern: RegExp) => (error: unknown) =>
          error instanceof LocalProtocolError && pattern.test(error.message);
        await assert.rejects(send(datagrams, fd), refused(/stream/));
        using socket: Socket = new Socket();
        for (const count of ["2", 0.1, 0, -1]) {
          await assert.rejects(
            send(socket, fd, { count: count as number }),
            refused(/count/),
            `count ${count}`,
          );
        }
        for (const offset of ["2", 0.1, -1]) {
          await assert.rejects(
            send(socket, fd, { offset: offset as number }),
            refused(/offset/),
            `offset ${offset}`,
          );
        }
        for (const file of ["name", -1, 1.5, null, {}]) {
          await assert.rejects(send(socket, file as FileLike), refused(/descriptor/), `${file}`);
        }
      }),
    "a descriptor always gives bytes: there are no files of text to refuse",
  );
}
