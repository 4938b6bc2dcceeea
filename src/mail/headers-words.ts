/** Encoded words: text beyond ASCII in header fields. RFC 2047, RFC 2231 section 5. */

/** How to read bytes of a character set that `TextDecoder` does not know. */
export type CharsetDecoder = (charset: string, bytes: Uint8Array) => string | undefined;

/** How encoded words and parameters are decoded. */
export interface DecodeWordsOptions {
  /** Asked for each character set that `TextDecoder` does not know; without an answer, latin1 is taken. */
  readonly decodeCharset?: CharsetDecoder | undefined;
}

/** RFC 2047 section 2: no word is longer, so the search looks no further. Real senders exceed 75 characters. */
const maxWordChars = 2048;
const word = /=\?([^?\s]{1,64})\?([BbQq])\?([^?\s]*(?: [^?\s]*)*)\?=/y;

interface EncodedWord {
  readonly charset: string;
  readonly bytes: Uint8Array;
}

/**
 * The text of a header value with its encoded words decoded. What looks like one and is not stays as it is. White space
 * between two encoded words is dropped (RFC 2047 section 6.2), and a character that was split over two words of one
 * character set is put together again.
 *
 * @example
 * ```ts
 * decodeWords("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an alle"); // "Grüße an alle"
 * ```
 */
export function decodeWords(text: string, options: DecodeWordsOptions = {}): string {
  let out = "";
  let from = 0;
  let run: EncodedWord[] = [];
  for (let at = text.indexOf("=?"); at >= 0; at = text.indexOf("=?", at)) {
    const found = wordAt(text, at);
    if (found === undefined) {
      at += 2;
      continue;
    }
    const between = text.slice(from, at);
    if (run.length === 0 || between.trim() !== "") {
      out += decodeRun(run, options) + between;
      run = [];
    }
    run.push(found.word);
    at = found.end;
    from = at;
  }
  return out + decodeRun(run, options) + text.slice(from);
}

function wordAt(text: string, at: number): { word: EncodedWord; end: number } | undefined {
  const part = text.slice(at, at + maxWordChars);
  word.lastIndex = 0;
  const match = word.exec(part);
  if (match === null) return undefined;
  const [whole, charset = "", encoding = "", payload = ""] = match;
  const bytes = encoding.toUpperCase() === "B" ? Buffer.from(payload, "base64") : decodeQ(payload);
  // RFC 2231 section 5: a language may follow the character set.
  return { word: { charset: charset.split("*")[0] ?? "", bytes }, end: at + whole.length };
}

/** RFC 2047 section 4.2: quoted-printable, with `_` for a space. */
function decodeQ(payload: string): Uint8Array {
  const source = Buffer.from(payload, "utf8");
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at += 1) {
    const code = source[at];
    const hex = code === 0x3d ? hexByte(source.toString("latin1", at + 1, at + 3)) : undefined;
    if (hex !== undefined) at += 2;
    bytes[length++] = hex ?? (code === 0x5f ? 0x20 : (code ?? 0));
  }
  return bytes.subarray(0, length);
}

/** The byte of two hexadecimal digits, or `undefined` where they are none. */
export function hexByte(digits: string): number | undefined {
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

function decodeRun(run: readonly EncodedWord[], options: DecodeWordsOptions): string {
  let out = "";
  for (let at = 0; at < run.length; ) {
    const charset = run[at]?.charset ?? "";
    const bytes: Uint8Array[] = [];
    for (; at < run.length && run[at]?.charset.toLowerCase() === charset.toLowerCase(); at += 1)
      bytes.push(run[at]?.bytes ?? new Uint8Array(0));
    out += decodeCharset(charset, Buffer.concat(bytes), options);
  }
  return out;
}

/**
 * The text of bytes in a character set. One that nobody knows is read as latin1, so that nothing throws. `US-ASCII` and
 * `ISO-8859-1` mean windows-1252, as the WHATWG has it.
 */
export function decodeCharset(charset: string, bytes: Uint8Array, options: DecodeWordsOptions = {}): string {
  const decoder = decoderFor(charset);
  if (decoder !== undefined) return decoder.decode(bytes);
  return options.decodeCharset?.(charset, bytes) ?? Buffer.from(bytes).toString("latin1");
}

/** Kept, since one is slow to make and slower to refuse; `undefined` for a character set that is not known. */
const decoders = new Map<string, TextDecoder | undefined>();
const maxDecoders = 100;

function decoderFor(charset: string): TextDecoder | undefined {
  if (!decoders.has(charset)) {
    if (decoders.size >= maxDecoders) decoders.clear();
    decoders.set(charset, newDecoder(charset));
  }
  return decoders.get(charset);
}

function newDecoder(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { ignoreBOM: true });
  } catch {
    return undefined;
  }
}

const printable = /^[\t\x20-\x7e]*$/;
/** A word of 75 characters, less `=?utf-8?B?` and `?=`. */
const maxPayloadChars = 63;

/**
 * The inverse of {@link decodeWords}: text that is printable ASCII stays as it is, other text becomes encoded words in
 * UTF-8, each of at most 75 characters and of whole characters, with a space between them.
 */
export function encodeWords(text: string): string {
  if (printable.test(text) && !text.includes("=?")) return text;
  const encode = mostlyAscii(text) ? encodeQ : encodeB;
  const words: string[] = [];
  let payload = "";
  for (const char of text) {
    const longer = payload + char;
    if (encode(longer).length > maxPayloadChars && payload !== "") {
      words.push(payload);
      payload = char;
    } else payload = longer;
  }
  if (payload !== "") words.push(payload);
  const letter = encode === encodeQ ? "Q" : "B";
  return words.map((part) => `=?utf-8?${letter}?${encode(part)}?=`).join(" ");
}

function mostlyAscii(text: string): boolean {
  return Buffer.byteLength(text) - text.length < text.length / 4;
}

function encodeB(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** Only letters, digits and what a phrase may hold go as they are (RFC 2047 section 5, rule 3). */
function encodeQ(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const char = String.fromCharCode(byte);
    if (byte === 0x20) out += "_";
    else if (/[A-Za-z0-9!*+/-]/.test(char)) out += char;
    else out += `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
