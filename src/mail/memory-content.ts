/** The bytes of messages in memory. */
import { createHash } from "node:crypto";
import { scanHeaders } from "./headers.js";
import { MailStoreError, type MessageContent, type NewMessage } from "./store.js";

const firstBlockBytes = 4096;
const largestBlockBytes = 262_144;
/** Enough for the header of real mail: what stands further back names no thread. */
const maxThreadHeaderBytes = 65_536;

/** A message's bytes, in blocks. Copies of a message share it. */
export class StoredContent implements MessageContent {
  readonly sizeOctets: number;
  readonly emailId: string;
  readonly #blocks: readonly Uint8Array[];
  #threadId: string | undefined | null = null;

  constructor(blocks: readonly Uint8Array[], emailId: string) {
    this.#blocks = blocks;
    this.sizeOctets = blocks.reduce((sum, block) => sum + block.length, 0);
    this.emailId = emailId;
  }

  /** The thread, found in the header when it is first asked for. */
  get threadId(): string | undefined {
    if (this.#threadId === null) this.#threadId = threadOf(this.slice(0, maxThreadHeaderBytes));
    return this.#threadId;
  }

  /** The bytes at once: without a copy where they lie in one block. */
  slice(start = 0, end: number = this.sizeOctets): Uint8Array {
    const pieces = [...this.#pieces(start, end)];
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  async bytes(start?: number, end?: number): Promise<Uint8Array> {
    return this.slice(start, end);
  }

  async *stream(start = 0, end: number = this.sizeOctets): AsyncIterable<Uint8Array> {
    yield* this.#pieces(start, end);
  }

  *#pieces(start: number, end: number): Iterable<Uint8Array> {
    let from = 0;
    for (const block of this.#blocks) {
      const piece = block.subarray(
        Math.max(0, start - from),
        Math.max(0, Math.min(block.length, end - from)),
      );
      if (piece.length > 0) yield piece;
      from += block.length;
      if (from >= end) return;
    }
  }
}

/** A conversation is named by its first message: the root of `References`, else what it answers, else itself. */
function threadOf(header: Uint8Array): string | undefined {
  const headers = scanHeaders(header, { maxHeaderBytes: maxThreadHeaderBytes });
  const root = [headers.get("references"), headers.get("in-reply-to"), headers.get("message-id")]
    .map((value) => /<[^<>\s]+>/.exec(value ?? "")?.[0])
    .find((id) => id !== undefined);
  return root === undefined
    ? undefined
    : `T${createHash("sha256").update(root).digest("base64url").slice(0, 22)}`;
}

/** Gathers chunks into blocks that grow, so that a byte at a time costs no more than one large chunk. */
class BlockWriter {
  readonly #blocks: Uint8Array[] = [];
  readonly #maxOctets: number;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  octets = 0;

  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  write(chunk: Uint8Array): void {
    this.octets += chunk.length;
    if (this.octets > this.#maxOctets)
      throw new MailStoreError("too-large", `a message has more than ${this.#maxOctets} octets`);
    for (let at = 0; at < chunk.length; ) {
      if (this.#used === this.#block.length) this.#grow(chunk.length - at);
      const part = chunk.subarray(at, at + this.#block.length - this.#used);
      this.#block.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
  }

  finish(): readonly Uint8Array[] {
    // A block that is mostly empty would be kept for as long as the message.
    if (this.#used > 0) this.#blocks.push(this.#block.slice(0, this.#used));
    return this.#blocks;
  }

  #grow(neededBytes: number): void {
    if (this.#used > 0) this.#blocks.push(this.#block);
    const doubled = Math.max(firstBlockBytes, this.#block.length * 2, neededBytes);
    this.#block = new Uint8Array(Math.min(doubled, largestBlockBytes));
    this.#used = 0;
  }
}

/** Copies bytes that are all there. */
export function copyContent(bytes: Uint8Array, emailId: string, maxOctets: number): StoredContent {
  if (bytes.length > maxOctets)
    throw new MailStoreError("too-large", `a message has more than ${maxOctets} octets`);
  return new StoredContent([Uint8Array.prototype.slice.call(bytes)], emailId);
}

/** Reads a message's content to its end, within the limit. An abort ends it between two chunks. */
export async function readContent(
  { content, sizeOctets }: NewMessage,
  emailId: string,
  { maxOctets, signal }: { readonly maxOctets: number; readonly signal?: AbortSignal | undefined },
): Promise<StoredContent> {
  signal?.throwIfAborted();
  const stored =
    content instanceof Uint8Array
      ? copyContent(content, emailId, maxOctets)
      : new StoredContent(await gather(content, maxOctets, signal), emailId);
  if (sizeOctets === undefined || sizeOctets === stored.sizeOctets) return stored;
  throw new MailStoreError(
    "size-mismatch",
    `a message of ${sizeOctets} octets was announced and one of ${stored.sizeOctets} came`,
  );
}

async function gather(
  content: AsyncIterable<Uint8Array>,
  maxOctets: number,
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  const writer = new BlockWriter(maxOctets);
  for await (const chunk of content) {
    signal?.throwIfAborted();
    writer.write(chunk);
  }
  signal?.throwIfAborted();
  return writer.finish();
}
