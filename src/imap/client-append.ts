/** Messages on their way into a mailbox: sources of a known size, each byte checked once. */
import { LimitError, LocalProtocolError, UnsupportedError } from "../core/errors.js";
import { chunksOf, type Source } from "../core/source.js";
import type { ClientState } from "./client-state.js";
import type { LiteralSource } from "./codec-parts.js";
import type { OutgoingMessage } from "./commands/append.js";

/** What goes with a message. */
export interface AppendOptions {
  /** How many octets the source has. Needed for streams: IMAP says it before the message. */
  readonly size?: number | undefined;
  readonly flags?: readonly string[] | undefined;
  /** The internal date. Default: the server's clock. */
  readonly date?: Date | undefined;
  /** The message may hold NUL: it goes out as a literal8, which needs BINARY. */
  readonly binary?: boolean | undefined;
  /** The message's header has UTF-8 in it, which needs UTF8=ACCEPT. */
  readonly utf8?: boolean | undefined;
}

/** One of several messages. */
export interface AppendMessageOptions extends AppendOptions {
  readonly source: Source;
}

/**
 * A message that can be sent.
 *
 * @throws {LocalProtocolError} the size is missing or wrong.
 * @throws {LimitError} it is larger than the server takes (RFC 7889).
 * @throws {UnsupportedError} the server lacks what the options ask for. Nothing was sent, in all cases.
 */
export function outgoing(source: Source, options: AppendOptions, state: ClientState): OutgoingMessage {
  const { flags = [], date, binary = false, utf8 = false } = options;
  if (binary && !state.capabilities.has("BINARY")) throw unsupported("BINARY");
  if (utf8 && !state.enabled.has("UTF8=ACCEPT")) throw unsupported("UTF8=ACCEPT");
  const data = literalSource(source, options.size, binary || utf8);
  checkLimit(data instanceof Uint8Array ? data.length : data.octets, state);
  return { data, flags, date, binary, utf8 };
}

function unsupported(capability: string): UnsupportedError {
  return new UnsupportedError(capability, `this needs ${capability}, which is not offered or not enabled`, {
    usable: true,
  });
}

/** APPENDLIMIT=n: RFC 7889 section 2. */
function checkLimit(octets: number, { capabilities }: ClientState): void {
  for (const name of capabilities) {
    const limit = /^APPENDLIMIT=([0-9]{1,15})$/.exec(name)?.[1];
    if (limit === undefined || octets <= Number(limit)) continue;
    throw new LimitError("a message for this server", Number(limit), {
      fault: "caller",
      sent: "no",
      usable: true,
    } as object);
  }
}

function literalSource(source: Source, size: number | undefined, mayHoldNul: boolean): LiteralSource {
  if (typeof source === "string" || source instanceof Uint8Array) return heldSource(source, size);
  if (source === null || typeof source !== "object")
    throw new LocalProtocolError("a message is text, bytes or a stream");
  if (size === undefined)
    throw new LocalProtocolError("IMAP says a message's size before the message: give size with a stream");
  return { octets: size, stream: pieces(source, mayHoldNul) };
}

function heldSource(source: string | Uint8Array, size: number | undefined): Uint8Array {
  const data = typeof source === "string" ? Buffer.from(source) : source;
  if (size !== undefined && size !== data.length)
    throw new LocalProtocolError(`a source was said to have ${size} octets and has ${data.length}`);
  return data;
}

async function* pieces(source: Source, mayHoldNul: boolean): AsyncGenerator<Uint8Array> {
  for await (const piece of chunksOf(source)) {
    if (!(piece instanceof Uint8Array)) throw broken("a source gives text and bytes, and nothing else");
    if (!mayHoldNul && piece.includes(0)) throw broken("only a binary message holds a NUL");
    yield piece;
  }
}

/** Half the message is on the wire by now. */
function broken(message: string): LocalProtocolError {
  return new LocalProtocolError(message, { sent: "yes", usable: false });
}
