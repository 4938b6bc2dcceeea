/** The header block of a message or of a part, read over its bytes: RFC 5322 section 2.2, RFC 6532. */

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const space = 0x20;
const tab = 0x09;

/** Where bytes stand: from `start` up to `end`, which is not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One field of a header block: where it stands, its folded lines and final line end included. */
export interface HeaderField extends ByteRange {
  /** The name as written. */
  readonly name: string;
  /** Where the value begins: behind the colon. */
  readonly valueStart: number;
}

/** How much of a header block is read. What stands beyond is skipped, and that is a defect. */
export interface HeaderLimits {
  /** All fields together, in bytes. Default 1 MiB. */
  readonly maxHeaderBytes?: number | undefined;
  /** How many fields. Default 10,000. */
  readonly maxFields?: number | undefined;
}

/** Where in the bytes to read, and what ends the block besides an empty line. */
export interface HeaderScanOptions extends HeaderLimits {
  /** Where the block begins. Default 0. */
  readonly start?: number | undefined;
  /** Where it ends at the latest. Default: the end of the bytes. */
  readonly end?: number | undefined;
  /** Asked for each line that begins with `--`, with where it stands: true ends the block before it. */
  readonly stopAt?: ((start: number, end: number) => boolean) | undefined;
}

/**
 * The fields of a header block, as views: the bytes are kept, and text is made only of what is asked for.
 *
 * @example
 * ```ts
 * const headers = scanHeaders(messageBytes);
 * headers.get("subject"); // "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", unfolded; decodeWords() reads it
 * ```
 */
export class HeaderBlock {
  /** The bytes that the offsets refer to. */
  readonly bytes: Uint8Array;
  /** Every field in order, duplicates included. */
  readonly fields: readonly HeaderField[];
  /** The block itself, the empty line behind it included. */
  readonly range: ByteRange;
  /** Whether an empty line ended the block. */
  readonly complete: boolean;
  /** What was wrong with it, in words. */
  readonly defects: readonly string[];
  #byName: Map<string, HeaderField[]> | undefined;

  /** Made by {@link scanHeaders}. */
  constructor(bytes: Uint8Array, found: Pick<HeaderBlock, "fields" | "range" | "complete" | "defects">) {
    this.bytes = bytes;
    this.fields = found.fields;
    this.range = found.range;
    this.complete = found.complete;
    this.defects = found.defects;
  }

  /** The value of the first field of this name, unfolded and trimmed; `undefined` where there is none. */
  get(name: string): string | undefined {
    const field = this.#named(name)[0];
    return field === undefined ? undefined : this.value(field);
  }

  /** The values of all fields of this name, in order. */
  all(name: string): readonly string[] {
    return this.#named(name).map((field) => this.value(field));
  }

  /** Whether there is a field of this name. */
  has(name: string): boolean {
    return this.#named(name).length > 0;
  }

  /** The value of a field: unfolded (RFC 5322 section 2.2.3), trimmed, UTF-8 where that is valid and latin1 where not. */
  value(field: HeaderField): string {
    return unfold(headerText(this.bytes.subarray(field.valueStart, field.end)));
  }

  /**
   * Where the fields of these names stand, in their order here, or with `not` all the others: what IMAP's
   * `HEADER.FIELDS` and `HEADER.FIELDS.NOT` send before the empty line (RFC 9051 section 6.4.5).
   */
  pick(names: readonly string[], options: { readonly not?: boolean | undefined } = {}): readonly ByteRange[] {
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    return this.fields.filter((field) => wanted.has(field.name.toLowerCase()) !== (options.not ?? false));
  }

  #named(name: string): readonly HeaderField[] {
    this.#byName ??= indexFields(this.fields);
    return this.#byName.get(name.toLowerCase()) ?? [];
  }
}

function indexFields(fields: readonly HeaderField[]): Map<string, HeaderField[]> {
  const byName = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const name = field.name.toLowerCase();
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [field]);
    else same.push(field);
  }
  return byName;
}

/**
 * Reads a header block in one pass. It ends at an empty line, which may end with a lone LF, at `stopAt`, or at `end`. It
 * never throws: a line that is no field is skipped and counts as a defect.
 */
export function scanHeaders(bytes: Uint8Array, options: HeaderScanOptions = {}): HeaderBlock {
  return new HeaderScanner(bytes, options).scan();
}

/** The text of header bytes: UTF-8 where that is valid (RFC 6532), else latin1, as old senders meant it. */
export function headerText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  return text.includes("\ufffd") && !isUtf8(bytes) ? buffer.toString("latin1") : text;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A field's value on one line: line breaks go, the white space of the folding stays, the ends are trimmed. */
export function unfold(value: string): string {
  return trimWsp(
    /[\r\n]/.test(value) ? value.replace(/\r?\n(?=[ \t]|$)/g, "").replace(/[\r\n]+/g, " ") : value,
  );
}

/** Only space and tab: other white space of Unicode is part of a value. By index, so that it is linear. */
function trimWsp(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWsp(text.charCodeAt(start))) start += 1;
  while (end > start && isWsp(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isWsp(code: number | undefined): boolean {
  return code === space || code === tab;
}

const maxDefects = 20;

class HeaderScanner {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #options: HeaderScanOptions;
  readonly #maxBytes: number;
  readonly #maxFields: number;
  readonly #fields: HeaderField[] = [];
  readonly #defects: string[] = [];
  /** The field whose folded lines may still follow. */
  #open: { name: string; start: number; valueStart: number } | undefined;

  constructor(bytes: Uint8Array, options: HeaderScanOptions) {
    this.#bytes = bytes;
    this.#start = options.start ?? 0;
    this.#end = options.end ?? bytes.length;
    this.#options = options;
    this.#maxBytes = options.maxHeaderBytes ?? 1_048_576;
    this.#maxFields = options.maxFields ?? 10_000;
  }

  scan(): HeaderBlock {
    let at = this.#start;
    while (at < this.#end) {
      const next = this.#lineEnd(at);
      if (this.#isEmpty(at, next)) return this.#finish(at, next, true);
      if (this.#stopsAt(at, next)) break;
      this.#line(at, next);
      at = next;
    }
    return this.#finish(at, at, false);
  }

  #lineEnd(at: number): number {
    const found = this.#bytes.indexOf(lf, at);
    return found < 0 || found >= this.#end ? this.#end : found + 1;
  }

  #isEmpty(at: number, next: number): boolean {
    if (this.#bytes[next - 1] !== lf) return false;
    return next - at === 1 || (next - at === 2 && this.#bytes[at] === cr);
  }

  #stopsAt(at: number, next: number): boolean {
    const { stopAt } = this.#options;
    return (
      stopAt !== undefined && this.#bytes[at] === 0x2d && this.#bytes[at + 1] === 0x2d && stopAt(at, next)
    );
  }

  #line(at: number, next: number): void {
    if (isWsp(this.#bytes[at])) {
      if (this.#open === undefined) this.#defect("a folded line without a field before it");
      return;
    }
    this.#close(at);
    if (next - this.#start > this.#maxBytes || this.#fields.length >= this.#maxFields)
      this.#defect("the header is larger than is read");
    else this.#field(at, next);
  }

  #field(at: number, next: number): void {
    const mark = this.#bytes.subarray(at, next).indexOf(colon);
    const name = mark < 0 ? "" : this.#name(at, at + mark);
    if (name === "") this.#defect("a line of the header is not a field");
    else this.#open = { name, start: at, valueStart: at + mark + 1 };
  }

  /** The name; `""` where it holds what no name may (RFC 5322 section 3.6.8). White space before the colon is let pass. */
  #name(start: number, end: number): string {
    let last = end;
    while (last > start && isWsp(this.#bytes[last - 1])) last -= 1;
    for (let at = start; at < last; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      if (byte <= space || byte >= 0x7f) return "";
    }
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, last - start).toString("latin1");
  }

  #close(end: number): void {
    if (this.#open !== undefined) this.#fields.push({ ...this.#open, end });
    this.#open = undefined;
  }

  #defect(text: string): void {
    if (this.#defects.length < maxDefects && this.#defects.at(-1) !== text) this.#defects.push(text);
  }

  #finish(at: number, end: number, complete: boolean): HeaderBlock {
    this.#close(at);
    const range = { start: this.#start, end };
    return new HeaderBlock(this.#bytes, { fields: this.#fields, range, complete, defects: this.#defects });
  }
}
