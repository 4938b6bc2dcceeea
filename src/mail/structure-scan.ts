/** The scanner of MIME structures: one pass over the bytes, a stack of open parts, no recursion. */
import { type HeaderBlock, scanHeaders } from "./headers.js";
import type { BodyPart, MessageStructure, StructureDefect, StructureLimits } from "./structure.js";
import { type Envelope, scanEnvelope } from "./structure-envelope.js";
import { LineCounter } from "./structure-lines.js";
import { type ParameterizedValue, parameterValue, scanParameters } from "./structure-parameters.js";

const lf = 0x0a;
const cr = 0x0d;
const dash = 0x2d;
/** RFC 2046 section 5.1.1 allows 70; more is read, and is a defect. */
const maxBoundaryChars = 1000;
const maxDefects = 100;

/** A part whose end is not known yet. */
interface OpenPart {
  readonly headers: HeaderBlock;
  readonly contentType: ParameterizedValue;
  readonly type: string;
  readonly subtype: string;
  readonly encoding: string;
  readonly parts: BodyPart[];
  /** For a message in a message: its envelope. The part of its root follows on the stack. */
  readonly envelope?: Envelope | undefined;
  root?: BodyPart;
  /** A multipart's boundary, and who had the same boundary before. */
  readonly boundary?: string | undefined;
  readonly shadowed?: number | undefined;
  closed?: boolean;
}

/** A line that separates or ends parts. */
interface Delimiter {
  readonly level: number;
  readonly closing: boolean;
  /** Where the line begins, its preceding line break not counted. */
  readonly lineStart: number;
  /** Where the next line begins. */
  readonly next: number;
}

/** One scan of one message. */
export class StructureScanner {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #maxDepth: number;
  readonly #maxParts: number;
  readonly #maxHeaderBytes: number | undefined;
  readonly #lines: LineCounter;
  readonly #stack: OpenPart[] = [];
  /** The boundaries that are looked for, and the level of their multipart on the stack. */
  readonly #boundaries = new Map<string, number>();
  /** The longest boundary so far: a longer line is none. */
  #longest = 0;
  #parts = 0;
  readonly #defects: StructureDefect[] = [];
  #root: BodyPart | undefined;

  constructor(bytes: Uint8Array, limits: StructureLimits) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxDepth = limits.maxDepth ?? 32;
    this.#maxParts = limits.maxParts ?? 10_000;
    this.#maxHeaderBytes = limits.maxHeaderBytes;
    this.#lines = new LineCounter(bytes);
  }

  scan(): MessageStructure {
    let at = this.#open(0);
    const headers = this.#stack[0]?.headers ?? scanHeaders(this.#bytes);
    const envelope = this.#envelope(headers);
    for (let line = this.#delimiter(at); line !== undefined; line = this.#delimiter(at))
      at = this.#pass(line);
    this.#closeDownTo(0, this.#bytes.length);
    const root = this.#root ?? this.#leafOf({ start: 0, end: this.#bytes.length });
    return { envelope, headers, root, sizeOctets: this.#bytes.length, defects: this.#defects };
  }

  /** Opens the part that begins here, and the messages within it; returns where its body begins. */
  #open(start: number): number {
    for (let at = start, inDigest = this.#inDigest(); ; inDigest = false) {
      const part = this.#readPart(at, inDigest);
      this.#stack.push(part);
      this.#parts += 1;
      at = part.headers.range.end;
      if (part.boundary !== undefined) this.#lookFor(part.boundary);
      if (part.envelope === undefined) return at;
    }
  }

  /** RFC 2046 section 5.1.5: a part of a digest is a message unless it says otherwise. */
  #inDigest(): boolean {
    const around = this.#stack.at(-1);
    return around?.type === "multipart" && around.subtype === "digest";
  }

  #readPart(start: number, inDigest: boolean): OpenPart {
    const headers = scanHeaders(this.#bytes, {
      ...{ start, maxHeaderBytes: this.#maxHeaderBytes },
      stopAt: (from, to) => this.#match(from, to) !== undefined,
    });
    for (const text of headers.defects) this.#defect("header", text, start);
    const contentType = scanParameters(headers.get("content-type") ?? "");
    for (const text of contentType.defects) this.#defect("content-type", text, start);
    const [type, subtype] = this.#typeOf(headers, contentType, inDigest);
    const encoding = transferEncoding(headers);
    const base = { headers, contentType, type, subtype, encoding, parts: [] };
    if (type === "multipart") return this.#multipart(base);
    if (type === "message" && (subtype === "rfc822" || subtype === "global")) return this.#message(base);
    return base;
  }

  #typeOf(headers: HeaderBlock, { value }: ParameterizedValue, inDigest: boolean): [string, string] {
    const match = /^([^\s/]+)\s*\/\s*([^\s/]+)$/.exec(value);
    if (match !== null) return [match[1] ?? "", match[2] ?? ""];
    if (headers.has("content-type")) this.#defect("content-type", "not a media type", headers.range.start);
    else if (inDigest) return ["message", "rfc822"];
    return ["text", "plain"];
  }

  #multipart(part: OpenPart): OpenPart {
    const at = part.headers.range.start;
    if (this.#tooDeep(at)) return opaque(part);
    if (!isIdentity(part.encoding)) this.#defect("encoding", "a multipart has a transfer encoding", at);
    const boundary = headerBytes(parameterValue(part.contentType.parameters, "boundary")).trimEnd();
    if (boundary === "" || boundary.length > maxBoundaryChars) {
      this.#defect("boundary", "a multipart has no usable boundary", at);
      return part;
    }
    if (boundary.length > 70) this.#defect("boundary", "a boundary is longer than 70 characters", at);
    return { ...part, boundary, shadowed: this.#boundaries.get(boundary) };
  }

  #message(part: OpenPart): OpenPart {
    const { start, end } = part.headers.range;
    if (this.#tooDeep(start)) return opaque(part);
    if (!isIdentity(part.encoding)) {
      this.#defect("encoding", "a message in a message has a transfer encoding", start);
      return opaque(part);
    }
    const inner = scanHeaders(this.#bytes, {
      ...{ start: end, maxHeaderBytes: this.#maxHeaderBytes },
      stopAt: (from, to) => this.#match(from, to) !== undefined,
    });
    return { ...part, envelope: this.#envelope(inner) };
  }

  #envelope(headers: HeaderBlock): Envelope {
    const { envelope, defects } = scanEnvelope(headers);
    for (const text of defects) this.#defect("address", text, headers.range.start);
    return envelope;
  }

  #tooDeep(at: number): boolean {
    const deep = this.#stack.length >= this.#maxDepth;
    if (deep) this.#defect("too-deep", `parts are nested deeper than ${this.#maxDepth}`, at);
    return deep;
  }

  #lookFor(boundary: string): void {
    this.#boundaries.set(boundary, this.#stack.length - 1);
    this.#longest = Math.max(this.#longest, boundary.length);
  }

  /** The next line from `at` on, where a line begins, that is a boundary of an open multipart. */
  #delimiter(at: number): Delimiter | undefined {
    let from = at;
    while (this.#boundaries.size > 0 && from < this.#bytes.length) {
      const start = this.#dashes(from);
      if (start === undefined) return undefined;
      const end = this.#bytes.indexOf(lf, start);
      const next = end < 0 ? this.#bytes.length : end + 1;
      const match = this.#match(start, next);
      if (match !== undefined) return { ...match, lineStart: start, next };
      from = next;
    }
    return undefined;
  }

  /** Where the next line that begins with two dashes begins. */
  #dashes(from: number): number | undefined {
    if (this.#bytes[from] === dash && this.#bytes[from + 1] === dash) return from;
    const at = this.#buffer.indexOf("\n--", from, "latin1");
    return at < 0 ? undefined : at + 1;
  }

  /** The multipart that a line belongs to: `--boundary`, or `--boundary--`, then white space at most. */
  #match(start: number, next: number): Pick<Delimiter, "level" | "closing"> | undefined {
    let end = next;
    while (end > start && isSpace(this.#bytes[end - 1])) end -= 1;
    if (end - start > this.#longest + 4) return undefined;
    const text = this.#buffer.toString("latin1", start + 2, end);
    const opening = this.#boundaries.get(text);
    const closing = text.endsWith("--") ? this.#boundaries.get(text.slice(0, -2)) : undefined;
    if (closing !== undefined && closing > (opening ?? -1)) return { level: closing, closing: true };
    return opening === undefined ? undefined : { level: opening, closing: false };
  }

  /** Ends what the delimiter ends and opens what it begins; returns where to look on. */
  #pass({ level, closing, lineStart, next }: Delimiter): number {
    this.#closeDownTo(level + 1, this.#beforeBreak(lineStart));
    const part = this.#stack[level];
    if (part === undefined) return next;
    if (closing) {
      part.closed = true;
      this.#forget(part);
      return next;
    }
    if (this.#parts < this.#maxParts) return this.#open(next);
    this.#defect("too-many-parts", `there are more than ${this.#maxParts} parts`, next);
    this.#boundaries.clear();
    return next;
  }

  /** The line break before a boundary belongs to the boundary (RFC 2046 section 5.1.1). */
  #beforeBreak(lineStart: number): number {
    if (this.#bytes[lineStart - 1] !== lf) return lineStart;
    return this.#bytes[lineStart - 2] === cr ? lineStart - 2 : lineStart - 1;
  }

  #closeDownTo(level: number, contentEnd: number): void {
    let end = contentEnd;
    while (this.#stack.length > level) {
      const part = this.#stack.pop();
      if (part === undefined) return;
      this.#forget(part);
      end = Math.max(end, part.headers.range.end);
      this.#hand(this.#finish(part, end));
    }
  }

  #forget({ boundary, shadowed }: OpenPart): void {
    if (boundary === undefined) return;
    if (shadowed === undefined) this.#boundaries.delete(boundary);
    else if (this.#boundaries.has(boundary)) this.#boundaries.set(boundary, shadowed);
  }

  /** Gives a finished part to the part around it. */
  #hand(part: BodyPart): void {
    const around = this.#stack.at(-1);
    if (around === undefined) this.#root = part;
    else if (around.envelope !== undefined) around.root = part;
    else around.parts.push(part);
  }

  #finish(part: OpenPart, end: number): BodyPart {
    const { headers, type, subtype, encoding } = part;
    const body = { start: headers.range.end, end };
    if (type === "multipart") this.#checkMultipart(part);
    const message =
      part.envelope === undefined
        ? undefined
        : { envelope: part.envelope, root: part.root ?? this.#leafOf(body) };
    return {
      ...{ type, subtype, parameters: part.contentType.parameters, encoding },
      ...{ octets: body.end - body.start, header: headers.range, body },
      ...(headers.fields.length === 0 ? {} : described(headers)),
      ...(type === "text" || message !== undefined ? { lines: this.#lines.lines(body) } : {}),
      parts: type === "multipart" && part.parts.length === 0 ? [this.#leafOf(body)] : part.parts,
      ...(message === undefined ? {} : { message }),
    };
  }

  #checkMultipart({ boundary, closed, headers }: OpenPart): void {
    if (boundary !== undefined && closed !== true)
      this.#defect("boundary", "a multipart's last boundary is missing", headers.range.start);
  }

  /** What stands where a part should: its bytes as plain text. */
  #leafOf(body: BodyPart["body"]): BodyPart {
    return {
      ...{ type: "text", subtype: "plain", parameters: [], encoding: "7bit", parts: [] },
      ...{ octets: body.end - body.start, lines: this.#lines.lines(body) },
      ...{ header: { start: body.start, end: body.start }, body },
    };
  }

  #defect(kind: StructureDefect["kind"], text: string, offset: number): void {
    if (this.#defects.length < maxDefects) this.#defects.push({ kind, text, offset });
  }
}

/** A part whose inside is not read: that a message always has its message is worth more than its type. */
function opaque(part: OpenPart): OpenPart {
  return { ...part, type: "application", subtype: "octet-stream" };
}

function described(headers: HeaderBlock): Partial<BodyPart> {
  const disposition = headers.get("content-disposition");
  const language = headers.get("content-language");
  return {
    ...{ id: headers.get("content-id"), description: headers.get("content-description") },
    ...{ md5: headers.get("content-md5"), location: headers.get("content-location")?.replace(/[ \t]/g, "") },
    ...(disposition === undefined ? {} : { disposition: dispositionOf(disposition) }),
    ...(language === undefined ? {} : { language: languagesOf(language) }),
  };
}

function dispositionOf(text: string): NonNullable<BodyPart["disposition"]> {
  const { value, parameters } = scanParameters(text);
  return { type: value === "" ? "attachment" : value, parameters };
}

/** RFC 3282: tags with commas between them, comments perhaps. */
function languagesOf(text: string): readonly string[] {
  return text
    .replace(/\([^()]*\)/g, " ")
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

function transferEncoding(headers: HeaderBlock): string {
  const { value } = scanParameters(headers.get("content-transfer-encoding") ?? "");
  return value === "" ? "7bit" : value;
}

function isIdentity(encoding: string): boolean {
  return encoding === "7bit" || encoding === "8bit" || encoding === "binary";
}

/** A boundary as the bytes of its lines, one character a byte. */
function headerBytes(boundary: string | undefined): string {
  return Buffer.from(boundary ?? "", "utf8").toString("latin1");
}

function isSpace(byte: number | undefined): boolean {
  return byte === lf || byte === cr || byte === 0x20 || byte === 0x09;
}
