/** The tokens of address lists: RFC 5322 section 3.2, with the UTF-8 of RFC 6532. */

/** A lexical token of a structured header value. */
export interface AddressToken {
  /** `special` is one of `< > @ , ; :`; a comment's text is without its outer parentheses. */
  readonly kind: "atom" | "quoted" | "literal" | "comment" | "special";
  /** The text, with quotes and quoted pairs undone. */
  readonly text: string;
  /** Whether white space or a comment stands before it. */
  readonly spaced: boolean;
}

/** The tokens of a text, and what was wrong with it. */
export interface AddressTokens {
  readonly tokens: readonly AddressToken[];
  readonly defects: readonly string[];
}

const maxDefects = 20;
const specials = "<>@,;:";
/** What ends an atom. Dots belong to atoms here: `a.b` is one token. */
const atomEnd = /[ \p{Cc}<>@,;:"()[\]\\]/gu;

/** Cuts a text into tokens in one pass. It never throws; comments nested beyond `maxDepth` are a defect. */
export function addressTokens(text: string, maxDepth: number, maxTokens: number): AddressTokens {
  const lexer = new Lexer(text, maxDepth);
  while (lexer.more() && lexer.tokens.length < maxTokens) lexer.next();
  if (lexer.more()) lexer.defects.push("too many words");
  return lexer;
}

class Lexer implements AddressTokens {
  readonly tokens: AddressToken[] = [];
  readonly defects: string[] = [];
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;
  #spaced = false;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  more(): boolean {
    return this.#at < this.#text.length;
  }

  next(): void {
    const char = this.#text[this.#at] ?? "";
    if (isSpace(char)) this.#space();
    else if (char === '"') this.#add("quoted", this.#until('"', "a quoted string does not end"));
    else if (char === "[") this.#add("literal", `[${this.#until("]", "a domain literal does not end")}]`);
    else if (char === "(") this.#comment();
    else if (specials.includes(char)) this.#special(char);
    else this.#atom();
  }

  #space(): void {
    this.#at += 1;
    this.#spaced = true;
  }

  #special(char: string): void {
    this.#at += 1;
    this.#add("special", char);
  }

  #atom(): void {
    atomEnd.lastIndex = this.#at;
    const end = atomEnd.exec(this.#text)?.index ?? this.#text.length;
    if (end > this.#at) {
      const text = this.#text.slice(this.#at, end);
      this.#at = end;
      this.#add("atom", text);
      return;
    }
    if (this.defects.length < maxDefects) this.defects.push("a character stands where none may");
    this.#at += 1;
  }

  /** The text up to an end character, quoted pairs undone (RFC 5322 section 3.2.1). */
  #until(end: string, defect: string): string {
    let out = "";
    let from = this.#at + 1;
    for (let at = from; at < this.#text.length; at += 1) {
      const char = this.#text[at];
      if (char === end) {
        this.#at = at + 1;
        return out + this.#text.slice(from, at);
      }
      if (char !== "\\") continue;
      out += this.#text.slice(from, at);
      at += 1;
      from = at;
    }
    this.defects.push(defect);
    this.#at = this.#text.length;
    return out + this.#text.slice(from);
  }

  /** A comment nests (RFC 5322 section 3.2.2), so its depth is counted and never recursed into. */
  #comment(): void {
    let out = "";
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      let char = this.#text[this.#at] ?? "";
      if (char === "(" && depth++ === 0) continue;
      if (char === ")" && --depth === 0) break;
      if (char === "\\") char = this.#text[++this.#at] ?? "";
      out += char;
      if (depth > this.#maxDepth) this.#tooDeep();
    }
    if (depth > 0) this.defects.push("a comment does not end");
    this.#at += 1;
    this.#add("comment", out);
    this.#spaced = true;
  }

  #tooDeep(): void {
    this.defects.push("comments are nested too deeply");
    this.#at = this.#text.length;
  }

  #add(kind: AddressToken["kind"], text: string): void {
    this.tokens.push({ kind, text, spaced: this.#spaced });
    this.#spaced = false;
  }
}

function isSpace(char: string): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n";
}
