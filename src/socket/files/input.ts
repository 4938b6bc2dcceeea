/** What a file has received and not yet given out: bytes, or text with its lines. */
import { LocalProtocolError } from "../../core/errors.js";
import { show } from "../sockaddr.js";

/** The not yet read part of a file. Nothing leaves it but what a call returns, so a call that fails loses nothing. */
export interface Input<T> {
  /** How much there is: bytes, or UTF-16 units of text. */
  readonly length: number;
  /** The length of the first line with its end, or -1 when no line has ended yet. */
  readonly lineLength: number;
  push(bytes: Uint8Array): void;
  /** The peer has finished: what was held back, waiting for its other half, comes out. */
  end(): void;
  take(length: number): T;
}

/** A buffer that was grown for one large read is given back after it. */
const keptBytes = 65536;

/** Bytes in one buffer that grows to what is unread. */
export class ByteInput implements Input<Uint8Array> {
  lineLength = -1;
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    const known = this.length;
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
    if (this.lineLength >= 0) return;
    const newline = bytes.indexOf(10);
    if (newline >= 0) this.lineLength = known + newline + 1;
  }

  end(): void {}

  take(length: number): Uint8Array {
    const taken = this.#bytes.slice(this.#start, this.#start + length);
    this.#start += taken.length;
    if (this.lineLength > length) this.lineLength -= length;
    else if (this.lineLength >= 0) this.lineLength = this.#findLine();
    if (this.length > 0) return taken;
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = new Uint8Array(0);
    return taken;
  }

  #findLine(): number {
    const newline = this.#bytes.indexOf(10, this.#start);
    return newline < 0 || newline >= this.#end ? -1 : newline + 1 - this.#start;
  }

  /** Moves the unread bytes to the front where that frees half the buffer, else doubles it: each byte moves O(1) times. */
  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const needed = this.length + bytes;
    const unread = this.#bytes.subarray(this.#start, this.#end);
    if (needed * 2 > this.#bytes.length) this.#bytes = new Uint8Array(needed * 2);
    this.#bytes.set(unread);
    this.#start = 0;
    this.#end = unread.length;
  }
}

/** Where lines end, as in Python's `open`. */
export type Newline = null | "" | "\n" | "\r" | "\r\n";

/** Text, decoded as it comes in: a character may be cut in two by the network. */
export class TextInput implements Input<string> {
  lineLength = -1;
  readonly #newline: Newline;
  readonly #decode: (bytes?: Uint8Array) => string;
  #text = "";
  #held = "";

  constructor(encoding: string, newline: Newline) {
    this.#decode = decoderOf(encoding);
    this.#newline = newline;
  }

  get length(): number {
    return this.#text.length;
  }

  push(bytes: Uint8Array): void {
    const piece = this.#held + this.#decode(bytes);
    // A CR may be the first half of a CR LF, which is one line end.
    const cut = this.#newline !== "\n" && this.#newline !== "\r" && piece.endsWith("\r") ? 1 : 0;
    this.#held = cut === 0 ? "" : "\r";
    this.#append(cut === 0 ? piece : piece.slice(0, -1));
  }

  end(): void {
    const piece = this.#held + this.#decode();
    this.#held = "";
    this.#append(piece);
  }

  take(length: number): string {
    const end = splitsPair(this.#text, length) ? length + 1 : length;
    const taken = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    if (this.lineLength > end) this.lineLength -= end;
    else if (this.lineLength >= 0) this.lineLength = this.#endOfLine(this.#text);
    return taken;
  }

  #append(piece: string): void {
    const text = this.#newline === null ? piece.replace(/\r\n?/g, "\n") : piece;
    if (this.lineLength < 0) {
      const end = this.#endOfLine(text);
      if (end >= 0) this.lineLength = this.#text.length + end;
    }
    this.#text += text;
  }

  #endOfLine(text: string): number {
    if (this.#newline === "") {
      const match = /\r\n?|\n/.exec(text);
      return match === null ? -1 : match.index + match[0].length;
    }
    const newline = this.#newline ?? "\n";
    const at = text.indexOf(newline);
    return at < 0 ? -1 : at + newline.length;
  }
}

/** Whether cutting at `length` would leave half a character on either side. */
function splitsPair(text: string, length: number): boolean {
  if (length === 0 || length >= text.length) return false;
  return (text.codePointAt(length - 1) as number) > 0xffff;
}

const latin1Labels: ReadonlySet<string> = new Set(["latin1", "iso-8859-1", "iso8859-1"]);

function isLatin1(encoding: string): boolean {
  return latin1Labels.has(encoding.toLowerCase());
}

/** Bytes to text; without bytes, the end. TextDecoder takes latin1 for windows-1252, which it is not. */
function decoderOf(encoding: string): (bytes?: Uint8Array) => string {
  if (isLatin1(encoding)) {
    return (bytes) =>
      bytes === undefined ? "" : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  }
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding, { ignoreBOM: true });
  } catch {
    throw new LocalProtocolError(`unknown encoding ${show(encoding)}`);
  }
  return (bytes) => (bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true }));
}

/** Text to bytes. Throws {@link LocalProtocolError} for encodings that cannot be written. */
export function encoderOf(encoding: string, newline: Newline): (text: string) => Uint8Array {
  const encode = encodeAs(encoding);
  if (newline !== "\r" && newline !== "\r\n") return encode;
  return (text) => encode(text.replaceAll("\n", newline));
}

function encodeAs(encoding: string): (text: string) => Uint8Array {
  if (isLatin1(encoding)) return encodeLatin1;
  if (/^utf-?8$/i.test(encoding)) return encodeUtf8;
  throw new LocalProtocolError(`text can be written as utf-8 and latin1, not as ${show(encoding)}`);
}

function encodeUtf8(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) {
    throw new LocalProtocolError(`a lone surrogate cannot be written: ${show(text)}`);
  }
  return new TextEncoder().encode(text);
}

function encodeLatin1(text: string): Uint8Array {
  const bytes = Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0) as number;
    if (code > 0xff) throw new LocalProtocolError(`latin1 has no ${show(character)}`);
    return code;
  });
  return bytes;
}
