/** What the tests of the engine share: a toy protocol of lines, and connected pairs of every size of fragments. */
import { test } from "node:test";
import type { ByteQueue } from "../../src/core/byte-queue.js";
import type { Limits } from "../../src/core/limits.js";
import { type ChannelOptions, CommandChannel, type Dialect } from "../../src/engine/command-channel.js";
import { ServerChannel, type ServerChannelOptions } from "../../src/engine/server-channel.js";
import { memoryPair } from "../../src/testing/index.js";
import type { Transport } from "../../src/transport/types.js";

/** A line as text. */
export function line(queue: ByteQueue, limits: Limits): string | undefined {
  const bytes = queue.takeCrLfLine(limits.maxLineBytes);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

export const toy: Dialect<string> = {
  protocol: "toy",
  replyDecoder: () => line,
  show: (reply) => [reply],
};

export const fragments = [1, 7, 65_536] as const;

/** The test once for each size of fragments. */
export function atEverySize(name: string, run: (fragmentBytes: number) => Promise<void>): void {
  for (const fragmentBytes of fragments)
    test(`${name} (reads of ${fragmentBytes})`, () => run(fragmentBytes));
}

/** A client's channel, and the bare other end. */
export function clientPair(
  fragmentBytes = 65_536,
  options: ChannelOptions = {},
): { channel: CommandChannel<string>; far: Transport } {
  const [near, far] = memoryPair({ fragmentBytes });
  return { channel: new CommandChannel(near, toy, options), far };
}

/** A server's channel, and the bare other end. */
export function serverPair(
  fragmentBytes = 65_536,
  options: ServerChannelOptions = {},
): { channel: ServerChannel; near: Transport } {
  const [near, far] = memoryPair({ fragmentBytes });
  return { channel: new ServerChannel("toy", far, options), near };
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads until `count` bytes are there. */
export async function readText(transport: Transport, count: number): Promise<string> {
  let text = "";
  while (text.length < count) {
    const chunk = await transport.read();
    if (chunk === undefined) break;
    text += Buffer.from(chunk).toString("latin1");
  }
  return text;
}

/** The transport, with a note of each write. */
export function watched(transport: Transport): { transport: Transport; writes: string[] } {
  const writes: string[] = [];
  const write = transport.write.bind(transport);
  transport.write = (data) => {
    writes.push(Buffer.from(data).toString("latin1"));
    return write(data);
  };
  return { transport, writes };
}
