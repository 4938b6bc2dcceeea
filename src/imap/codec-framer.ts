/**
 * Framing, the first of two steps: bytes into whole responses, each with its literals, every size held against the
 * limits before anything is kept. RFC 9051 sections 2.2, 4.3 and 9 (`response`, `literal`, `literal8`), RFC 7888.
 */
import type { ByteQueue } from "../core/byte-queue.js";
import type { Decoder } from "../core/decoder.js";
import { BusyError, LimitError, RemoteProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";

/** A literal of a frame: `{n}`, `{n+}` or `~{n}`. */
export interface FrameLiteral {
  /** Where it stands: the offset in {@link Frame.text} behind its `}`. */
  readonly at: number;
  readonly octets: number;
  /** A literal8, `~{n}`, which may hold NUL (RFC 9051 section 4.3). */
  readonly binary: boolean;
  /** Sent without waiting, `{n+}` (RFC 7888). */
  readonly nonSync: boolean;
  /** Undefined when it was handed out as a stream. */
  readonly data: Uint8Array | undefined;
}

/** A response or command as it came: the text without line ends, and the literals that belong in it. */
export interface Frame {
  readonly text: Uint8Array;
  readonly literals: readonly FrameLiteral[];
}

/** A literal is due: what came before it, and its size. */
export interface LiteralEvent {
  readonly type: "literal";
  readonly octets: number;
  readonly binary: boolean;
  readonly nonSync: boolean;
  /** Which of the frame's literals it is, from 0. */
  readonly index: number;
  /** The frame so far. Its list of literals grows as the frame goes on: look at it before the next event. */
  readonly before: Frame;
}

/** What a framer yields: a whole frame, or a literal that is to be decided upon or read as a stream. */
export type FrameEvent = { readonly type: "frame"; readonly frame: Frame } | LiteralEvent;

/** What a framer is made with. */
export interface FramerOptions {
  /** A larger literal is handed out as a stream. Default: 1 MiB. */
  readonly maxBufferedBytes?: number | undefined;
}

/** Limits for IMAP, whose SEARCH and BODYSTRUCTURE lines are long: lines of 8 MiB, responses of 16 MiB. */
export const imapLimits: Limits = {
  ...defaultLimits,
  maxLineBytes: 8 * 1_048_576,
  maxReplyBytes: 16 * 1_048_576,
};

const defaultMaxBufferedBytes = 1_048_576;
const none: readonly FrameLiteral[] = [];

/** The mark at the end of a line behind which a literal follows. */
export interface Announced {
  readonly octets: number;
  readonly binary: boolean;
  readonly nonSync: boolean;
}

/** What the two framers share: the text so far, the literals so far, and the literal that is due. */
export abstract class FrameAssembler {
  /** A larger literal is handed out as a stream; may be changed between frames. */
  maxBufferedBytes: number;
  readonly #partialLine: Uint8Array[] = [];
  #partialBytes = 0;
  #text: Uint8Array = noText;
  #textBytes = 0;
  #literals: FrameLiteral[] = [];
  #literalBytes = 0;
  #due: Announced | undefined;
  #mode: "line" | "buffer" | "undecided" | "stream" | "skip" = "line";
  #octetsLeft = 0;
  /** The rest of this frame is thrown away: a literal of it was refused. */
  #skipping = false;

  constructor(options: FramerOptions = {}) {
    this.maxBufferedBytes = options.maxBufferedBytes ?? defaultMaxBufferedBytes;
  }

  /** Takes the next event; throws a `BusyError` while a streamed literal is unread or one is undecided. */
  readonly next: Decoder<FrameEvent> = (queue, limits) => {
    for (;;) {
      if (this.#mode === "line") {
        const event = this.#line(queue, limits);
        if (event !== "again") return event;
      } else if (this.#mode === "buffer") {
        if (!this.#buffered(queue, limits)) return undefined;
      } else if (this.#mode === "skip") {
        if (!this.#skipped(queue)) return undefined;
      } else throw new BusyError("the literal before must be read first");
    }
  };

  /** Takes what is there of a literal that is handed out as a stream; null at its end, once. */
  readonly literal: Decoder<Uint8Array | null> = (queue) => {
    if (this.#mode !== "stream") throw new BusyError("there is no literal to be read");
    if (this.#octetsLeft === 0) {
      this.#mode = "line";
      return null;
    }
    if (queue.length === 0) return endedEarly(queue);
    const piece = plain(queue.takeSome(this.#octetsLeft));
    this.#octetsLeft -= piece.length;
    return piece;
  };

  /** Whether nothing of a frame has been taken yet: only then may TLS or COMPRESS begin. */
  get idle(): boolean {
    return this.#mode === "line" && this.#textBytes === 0 && this.#partialBytes === 0;
  }

  /** What is to happen with a literal that has been announced. */
  protected abstract decide(
    announced: Announced,
    textSoFar: Uint8Array,
  ): "buffer" | "stream" | "ask" | "text";

  /** Decides upon the literal that was asked about. `forget` drops the frame, with what of it was sent without waiting. */
  protected settle(how: "buffer" | "stream" | "forget"): void {
    if (this.#mode !== "undecided" || this.#due === undefined) throw new BusyError("no literal is waiting");
    if (how === "forget") this.#refuse(this.#due);
    else if (how === "stream") this.#stream(this.#due);
    else {
      this.#literals.pop();
      this.#mode = "buffer";
    }
  }

  #line(queue: ByteQueue, limits: Limits): FrameEvent | "again" | undefined {
    const line = this.#takeLine(queue, limits);
    if (line === undefined) return endedEarly(queue, this.idle);
    this.#checkReply(line.length, limits);
    const announced = announcedBy(line);
    if (this.#skipping) return this.#skipLine(announced);
    if (announced === undefined) return this.#frame(line);
    this.#append(line);
    const how = this.decide(announced, this.#text.subarray(0, this.#textBytes));
    if (how === "text") return this.#frame(line.subarray(0, 0));
    return this.#announce(announced, how, limits);
  }

  #announce(
    announced: Announced,
    how: "buffer" | "stream" | "ask",
    limits: Limits,
  ): FrameEvent | "again" | undefined {
    if (this.#literals.length >= limits.maxItems) throw new LimitError("a list of literals", limits.maxItems);
    if (how === "buffer") this.#checkReply(announced.octets, limits);
    else if (announced.octets > limits.maxBodyBytes) throw new LimitError("a literal", limits.maxBodyBytes);
    this.#due = announced;
    this.#mode = how === "ask" ? "undecided" : how;
    if (how === "buffer") return "again";
    this.#addLiteral(announced, undefined);
    if (how === "stream") this.#stream(announced);
    const before = { text: this.#text.subarray(0, this.#textBytes), literals: this.#literals };
    return { type: "literal", ...announced, index: this.#literals.length - 1, before };
  }

  #stream({ octets }: Announced): void {
    this.#mode = "stream";
    this.#octetsLeft = octets;
  }

  #refuse(due: Announced): void {
    this.#forget();
    if (due.nonSync) this.#skip(due);
  }

  /** What follows a refused `{n+}` comes all the same, up to the line that ends the command (RFC 7888 section 3). */
  #skip({ octets }: Announced): void {
    this.#skipping = true;
    this.#mode = "skip";
    this.#octetsLeft = octets;
  }

  #skipped(queue: ByteQueue): boolean {
    const bytes = Math.min(queue.length, this.#octetsLeft);
    queue.drop(bytes);
    this.#octetsLeft -= bytes;
    if (this.#octetsLeft === 0) this.#mode = "line";
    else endedEarly(queue);
    return this.#octetsLeft === 0;
  }

  /** A peer that waits with `{n}` has seen the refusal by then: its command ends there. */
  #skipLine(announced: Announced | undefined): "again" {
    this.#skipping = false;
    if (announced?.nonSync === true) this.#skip(announced);
    return "again";
  }

  #buffered(queue: ByteQueue, limits: Limits): boolean {
    const due = this.#due;
    if (due !== undefined) this.#checkReply(due.octets, limits);
    if (due === undefined || queue.length < due.octets) {
      endedEarly(queue);
      return false;
    }
    this.#addLiteral(due, plain(queue.take(due.octets)));
    this.#literalBytes += due.octets;
    this.#mode = "line";
    return true;
  }

  #addLiteral(announced: Announced, data: Uint8Array | undefined): void {
    this.#literals.push({ at: this.#textBytes, ...announced, data });
  }

  /**
   * A line without its end. What has come of an unfinished line is taken out of the queue, so that a peer that sends a
   * byte at a time does not make the queue search its chunks again for each.
   */
  #takeLine(queue: ByteQueue, limits: Limits): Uint8Array | undefined {
    const line = queue.takeLine(Number.MAX_SAFE_INTEGER);
    if (line === undefined) {
      this.#keepPartial(queue);
      if (this.#partialBytes > limits.maxLineBytes + 1) throw new LimitError("a line", limits.maxLineBytes);
      return undefined;
    }
    const whole = this.#partialBytes === 0 ? line : this.#joinPartial(line);
    if (whole.length > limits.maxLineBytes) throw new LimitError("a line", limits.maxLineBytes);
    return whole;
  }

  #keepPartial(queue: ByteQueue): void {
    this.#partialBytes += queue.length;
    while (queue.length > 0) this.#partialLine.push(queue.takeSome());
  }

  #joinPartial(line: Uint8Array): Uint8Array {
    const joined = Buffer.concat([...this.#partialLine.splice(0), line]);
    this.#partialBytes = 0;
    return line.length === 0 && joined.at(-1) === 0x0d ? joined.subarray(0, -1) : joined;
  }

  #checkReply(moreBytes: number, limits: Limits): void {
    if (this.#textBytes + this.#literalBytes + moreBytes > limits.maxReplyBytes)
      throw new LimitError("a response", limits.maxReplyBytes);
  }

  /** Adds to the text, which grows by doubling: a frame with many literals costs no more than its size. */
  #append(line: Uint8Array): void {
    const bytes = this.#textBytes + line.length;
    if (bytes > this.#text.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, this.#text.length * 2, usualTextBytes));
      larger.set(this.#text.subarray(0, this.#textBytes));
      this.#text = larger;
    }
    this.#text.set(line, this.#textBytes);
    this.#textBytes = bytes;
  }

  #frame(line: Uint8Array): FrameEvent {
    if (this.#textBytes === 0) return { type: "frame", frame: { text: line, literals: none } };
    this.#append(line);
    const frame = { text: this.#text.subarray(0, this.#textBytes), literals: this.#literals };
    this.#forget();
    return { type: "frame", frame };
  }

  #forget(): void {
    this.#text = noText;
    this.#textBytes = 0;
    this.#literals = [];
    this.#literalBytes = 0;
    this.#due = undefined;
    this.#mode = "line";
  }
}

/** A peer that ended in the middle of a frame broke the rules; one that ended between two has said goodbye. */
function endedEarly(queue: ByteQueue, idle = false): undefined {
  if (queue.ended && !(idle && queue.length === 0))
    throw new RemoteProtocolError("the connection ended in the middle of a response", {
      rfc: "RFC 9051 section 2.2.2",
    });
  return undefined;
}

/** The queue's bytes as what the types promise: its chunks may be Buffers. */
function plain(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const plus = 0x2b;
const tilde = 0x7e;
const asterisk = 0x2a;
const space = 0x20;
/** What most responses with a literal have besides it, in bytes. */
const usualTextBytes = 128;
const noText = new Uint8Array(0);

/** The literal that a line's end announces: `{n}`, `{n+}`, `{n-}` of old servers is none. */
function announcedBy(line: Uint8Array): Announced | undefined {
  let at = line.length - 1;
  if (line[at] !== closeBrace) return undefined;
  const nonSync = line[at - 1] === plus;
  if (nonSync) at -= 1;
  const end = at;
  while (isDigit(line[at - 1])) at -= 1;
  if (at === end || line[at - 1] !== openBrace) return undefined;
  if (end - at > 15) throw new LimitError("a literal", Number.MAX_SAFE_INTEGER);
  let octets = 0;
  for (let digit = at; digit < end; digit += 1) octets = octets * 10 + (line[digit] as number) - 0x30;
  return { octets, binary: line[at - 2] === tilde, nonSync };
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
/** Frames of what a server sends. */
export class ResponseFramer extends FrameAssembler {
  protected override decide({ octets }: Announced, textSoFar: Uint8Array): "buffer" | "stream" | "text" {
    if (isFreeText(textSoFar)) return "text";
    return octets > this.maxBufferedBytes ? "stream" : "buffer";
  }
}

/**
 * A framer for what a server sends, one for each connection. A literal beyond `maxBufferedBytes` comes as an event: read it
 * with {@link FrameAssembler.literal}, then the same response goes on.
 *
 * @example
 * ```ts
 * const framer = responseFramer();
 * const event = framer.next(queue, imapLimits);
 * if (event?.type === "frame") parseResponse(event.frame);
 * ```
 */
export function responseFramer(options: FramerOptions = {}): ResponseFramer {
  return new ResponseFramer(options);
}

const freeText = /^(?:\+|\S+ (?:OK|NO|BAD|BYE|PREAUTH)(?: |$))/i;

/** Status responses and continuations hold no literal: a `{5}` at the end of a sentence is the sentence's. */
function isFreeText(text: Uint8Array): boolean {
  // `* 12 FETCH`: no text for people begins like this, and ten thousand such responses have a literal each.
  if (text[0] === asterisk && text[1] === space && isDigit(text[2])) return false;
  return freeText.test(Buffer.from(text.subarray(0, 100)).toString("latin1"));
}
