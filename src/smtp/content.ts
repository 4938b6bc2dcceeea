/** What a message's bytes need of the way they travel. */
import { type Source, sizeOf } from "../core/source.js";

/** A message: its text as it stands on the wire, or what `compose` or `composeStream` of `hawser/mail` made. */
export type Message = Source | { readonly bytes: Uint8Array } | { readonly content: Source };

/** The bytes of a message, wherever they are. */
export function sourceOf(message: Message): Source {
  if (typeof message !== "object") return message;
  if ("bytes" in message) return message.bytes;
  return "content" in message ? message.content : message;
}

/** What is known of a message before it is sent. */
export interface Content {
  readonly source: Source;
  readonly sizeOctets: number | undefined;
  /** Whether it has bytes above 127; `undefined` where only reading it would tell. */
  readonly eightBit: boolean | undefined;
  /** Whether its header has such bytes, which only SMTPUTF8 allows (RFC 6531 section 3.1). */
  readonly eightBitHeader: boolean;
}

/** Looks at a message that is held in memory; one that is a stream is taken as it comes. */
export function contentOf(message: Message): Content {
  const source = sourceOf(message);
  const whole = typeof source === "string" ? Buffer.from(source) : source;
  if (!(whole instanceof Uint8Array))
    return { source, sizeOctets: undefined, eightBit: undefined, eightBitHeader: false };
  const first = firstEightBit(whole);
  return {
    source: whole,
    sizeOctets: sizeOf(whole),
    eightBit: first >= 0,
    eightBitHeader: first >= 0 && first < headerBytes(whole),
  };
}

/** Where the first byte above 127 stands, or -1. Eight bytes at a time: 8 KiB take 2 µs and not 8. */
function firstEightBit(bytes: Uint8Array): number {
  const aligned = (8 - (bytes.byteOffset % 8)) % 8;
  const words = Math.max(0, Math.floor((bytes.length - aligned) / 8));
  if (words > 0) {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset + aligned, words * 2);
    let found = 0;
    for (let index = 0; index < view.length && found === 0; index += 1)
      found = (view[index] ?? 0) & 0x80808080;
    if (found === 0) {
      const head = bytes.subarray(0, aligned).findIndex(isHigh);
      if (head >= 0) return head;
      const tail = bytes.subarray(aligned + words * 8).findIndex(isHigh);
      return tail < 0 ? -1 : aligned + words * 8 + tail;
    }
  }
  return bytes.findIndex(isHigh);
}

function isHigh(byte: number): boolean {
  return byte > 127;
}

/** Up to the empty line; all of it where there is none. */
function headerBytes(message: Uint8Array): number {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  const ends = [bytes.indexOf("\r\n\r\n"), bytes.indexOf("\n\n")].filter((at) => at >= 0);
  return ends.length === 0 ? message.length : Math.min(...ends);
}
