/** `Content-Type` and its like: a value and parameters. RFC 2045 section 5.1, RFC 2231, RFC 2183. */
import { type DecodeWordsOptions, decodeCharset, hexByte } from "./headers-words.js";

/** A parameter, put together from its continuations and decoded (RFC 2231 sections 3 and 4). */
export interface Parameter {
  /** In lower case, without `*`. */
  readonly name: string;
  readonly value: string;
  /** The character set that the header named for it; `undefined` where the value stood there plainly. */
  readonly charset?: string | undefined;
  /** The language that the header named for it. */
  readonly language?: string | undefined;
}

/** A structured value: `text/plain; charset=utf-8`. */
export interface ParameterizedValue {
  /** What stands before the first semicolon, in lower case and without comments. */
  readonly value: string;
  /** In the order of the header; of several with one name the first counts. */
  readonly parameters: readonly Parameter[];
  readonly defects: readonly string[];
}

const maxParameters = 200;

/** Reads a structured value and makes the best of what is malformed. It never throws and takes linear time. */
export function scanParameters(text: string, options: DecodeWordsOptions = {}): ParameterizedValue {
  const reader = new ParameterReader(text);
  const value = reader.word().toLowerCase();
  const sections: Section[] = [];
  while (reader.nextParameter()) {
    const section = reader.parameter();
    if (section === undefined) continue;
    if (sections.length < maxParameters) sections.push(section);
    else reader.defect("too many parameters");
  }
  return { value, parameters: joinSections(sections, options), defects: reader.defects };
}

/** The value of a parameter, by its name in lower case. */
export function parameterValue(parameters: readonly Parameter[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.name === name)?.value;
}

/**
 * A parameter as ASCII, for IMAP's BODYSTRUCTURE: as it is, or `name*` with `utf-8''percent-encoded` (RFC 2231) where it
 * holds anything else.
 */
export function asciiParameter({ name, value, language }: Parameter): { name: string; value: string } {
  if (/^[\x20-\x7e]*$/.test(value)) return { name, value };
  const encoded = [...Buffer.from(value, "utf8")].map(percentEncode).join("");
  return { name: `${name}*`, value: `utf-8'${language ?? ""}'${encoded}` };
}

function percentEncode(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9.!#$&+^_`{}|~-]/.test(char)
    ? char
    : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A parameter as it stands in the header: `filename*1*=...` */
interface Section {
  readonly name: string;
  readonly index: number;
  readonly extended: boolean;
  readonly text: string;
}

/** A name, then perhaps `*0`, then perhaps `*`. */
const sectionName = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/;

class ParameterReader {
  readonly defects: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Goes behind the next semicolon; false at the end. */
  nextParameter(): boolean {
    if (this.#at >= this.#text.length) return false;
    this.#at += 1;
    return true;
  }

  parameter(): Section | undefined {
    const name = this.word("=").toLowerCase();
    if (this.#text[this.#at] !== "=") {
      if (name !== "") this.defect("a parameter without a value");
      return undefined;
    }
    this.#at += 1;
    const text = this.word("", true);
    const match = sectionName.exec(name);
    if (match === null) {
      this.defect("a parameter's name is malformed");
      return undefined;
    }
    return { name: match[1] ?? "", index: Number(match[2] ?? -1), extended: match[3] === "*", text };
  }

  /**
   * Text up to `;` or `stop`, without comments, and with quoted strings undone. A parenthesis inside a parameter's value
   * is a comment only behind white space: `filename=invoice(1).pdf` is how real senders write.
   */
  word(stop = "", inValue = false): string {
    let out = "";
    let gap = "";
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? "";
      if (char === ";" || char === stop) break;
      if (char === " " || char === "\t") {
        gap = out === "" ? "" : gap + char;
        this.#at += 1;
      } else if (char === "(" && (!inValue || gap !== "" || out === "")) this.#comment();
      else {
        out += gap + (char === '"' ? this.#quoted() : this.#plain(stop));
        gap = "";
      }
    }
    return out;
  }

  #plain(stop: string): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? "";
      if (char === stop || ' \t;"('.includes(char)) break;
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  #quoted(): string {
    let out = "";
    let from = this.#at + 1;
    for (let at = from; at < this.#text.length; at += 1) {
      const char = this.#text[at];
      if (char === '"') {
        this.#at = at + 1;
        return out + this.#text.slice(from, at);
      }
      if (char !== "\\") continue;
      out += this.#text.slice(from, at);
      at += 1;
      from = at;
    }
    this.defect("a quoted string does not end");
    this.#at = this.#text.length;
    return out + this.#text.slice(from);
  }

  #comment(): void {
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === "\\") this.#at += 1;
      else if (char === "(") depth += 1;
      else if (char === ")" && --depth === 0) break;
    }
    if (depth > 0) this.defect("a comment does not end");
    this.#at += 1;
  }

  defect(text: string): void {
    if (this.defects.length < 20 && this.defects.at(-1) !== text) this.defects.push(text);
  }
}

function joinSections(sections: readonly Section[], options: DecodeWordsOptions): readonly Parameter[] {
  const byName = new Map<string, Section[]>();
  for (const section of sections) {
    const same = byName.get(section.name);
    if (same === undefined) byName.set(section.name, [section]);
    else same.push(section);
  }
  return [...byName].map(([name, same]) => joinSection(name, same, options));
}

/** Continuations go by their numbers, whatever their order; a gap ends them (RFC 2231 section 3). */
function joinSection(name: string, same: readonly Section[], options: DecodeWordsOptions): Parameter {
  const whole = same.find((section) => section.index < 0 && section.extended);
  const numbered = new Map(
    same.filter((section) => section.index >= 0).map((section) => [section.index, section]),
  );
  if (whole !== undefined) return decodeSections(name, [whole], options);
  if (!numbered.has(0)) return { name, value: same[0]?.text ?? "" };
  const parts: Section[] = [];
  for (let part = numbered.get(0); part !== undefined; part = numbered.get(parts.length)) parts.push(part);
  return decodeSections(name, parts, options);
}

/** `charset'language'percent-encoded` at the front, and later sections in the same character set. */
function decodeSections(name: string, parts: readonly Section[], options: DecodeWordsOptions): Parameter {
  const first = parts[0];
  if (first?.extended !== true) return { name, value: parts.map((part) => part.text).join("") };
  const [, charset = "", language = "", rest = first.text] = /^([^']*)'([^']*)'(.*)$/s.exec(first.text) ?? [];
  const bytes = parts.map((part, index) => {
    const text = index === 0 ? rest : part.text;
    return part.extended ? percentDecode(text) : Buffer.from(text, "utf8");
  });
  const value = decodeCharset(charset === "" ? "utf-8" : charset, Buffer.concat(bytes), options);
  return {
    ...{ name, value },
    ...(charset === "" ? {} : { charset }),
    ...(language === "" ? {} : { language }),
  };
}

function percentDecode(text: string): Uint8Array {
  const source = Buffer.from(text, "utf8");
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at += 1) {
    const hex = source[at] === 0x25 ? hexByte(source.toString("latin1", at + 1, at + 3)) : undefined;
    if (hex !== undefined) at += 2;
    bytes[length++] = hex ?? source[at] ?? 0;
  }
  return bytes.subarray(0, length);
}
