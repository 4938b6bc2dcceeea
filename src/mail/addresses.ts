/** Address lists: `Alice <alice@example.test>, Team: bob@example.test;`. RFC 5322 section 3.4, RFC 6532. */
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";
import { type AddressToken, addressTokens } from "./addresses-tokens.js";

/** One mailbox: where mail goes, and whose it is. */
export interface MailAddress {
  readonly kind: "mailbox";
  /** The display name, unquoted; encoded words (RFC 2047) stay as they are: see `decodeWords`. `""` for none. */
  readonly name: string;
  /** The obsolete source route, `@a,@b`; `""` for none (RFC 5322 section 4.4). */
  readonly route: string;
  /** The part before the `@`, unquoted. */
  readonly localPart: string;
  /** The part after the `@`; `""` where the address has none, which is a defect. */
  readonly domain: string;
}

/** A group of mailboxes, which may be empty: `undisclosed-recipients:;`. */
export interface AddressGroup {
  readonly kind: "group";
  readonly name: string;
  readonly members: readonly MailAddress[];
}

/** A member of an address list. */
export type Address = MailAddress | AddressGroup;

/** What a lenient reader found: the addresses, and what was wrong with the text. */
export interface AddressScan {
  readonly addresses: readonly Address[];
  readonly defects: readonly string[];
}

/**
 * Reads an address list and makes the best of what is malformed. It never throws, takes time in proportion to the
 * text, and stops at `limits.maxItems` words; comments deeper than `limits.maxDepth` are a defect.
 */
export function scanAddressList(text: string, limits: Limits = defaultLimits): AddressScan {
  const { tokens, defects } = addressTokens(text, limits.maxDepth, limits.maxItems);
  const reader = new ListReader(tokens, defects);
  reader.read();
  return { addresses: reader.addresses, defects: reader.defects };
}

/**
 * Reads an address list strictly; an empty text is an empty list.
 *
 * @throws {RemoteProtocolError} the text does not keep to RFC 5322 section 3.4 or 4.4.
 * @throws {LimitError} the text has more than `limits.maxReplyBytes` characters.
 */
export function parseAddressList(text: string, limits: Limits = defaultLimits): readonly Address[] {
  if (text.length > limits.maxReplyBytes) throw new LimitError("an address list", limits.maxReplyBytes);
  const { addresses, defects } = scanAddressList(text, limits);
  if (defects[0] === undefined) return addresses;
  throw new RemoteProtocolError(`bad address list (${defects[0]})`, {
    ...{ excerpt: text, rfc: "RFC 5322 section 3.4", sent: "no", usable: true },
  });
}

/**
 * Reads exactly one mailbox: `alice@example.test` or `Alice <alice@example.test>`.
 *
 * @throws {RemoteProtocolError} the text is anything else.
 */
export function parseMailAddress(text: string, limits: Limits = defaultLimits): MailAddress {
  const [first, ...rest] = parseAddressList(text, limits);
  if (first?.kind === "mailbox" && rest.length === 0) return first;
  throw new RemoteProtocolError("not one mailbox", {
    ...{ excerpt: text, rfc: "RFC 5322 section 3.4", sent: "no", usable: true },
  });
}

/** The mailboxes of a list, those of groups included, in order. */
export function mailboxesOf(addresses: readonly Address[]): readonly MailAddress[] {
  return addresses.flatMap((address) => (address.kind === "group" ? address.members : [address]));
}

/**
 * The address without its name, as an envelope has it: `alice@example.test`, `"a b"@example.test`.
 *
 * @throws {LocalProtocolError} a part holds CR, LF, NUL or another control character.
 */
export function formatAddrSpec({ localPart, domain }: Pick<MailAddress, "localPart" | "domain">): string {
  refuseControls(localPart);
  refuseControls(domain);
  const local = dotAtom.test(localPart) ? localPart : quote(localPart);
  return domain === "" ? local : `${local}@${checkDomain(domain)}`;
}

/**
 * The inverse of {@link parseAddressList}: names are quoted where they must be, and left as they are otherwise. The
 * result is one line; `formatHeaderField` folds it.
 *
 * @throws {LocalProtocolError} a part holds CR, LF, NUL or another control character.
 */
export function formatAddressList(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(", ");
}

function formatAddress(address: Address): string {
  refuseControls(address.name);
  if (address.kind === "group") return `${phrase(address.name)}: ${formatAddressList(address.members)};`;
  const spec = formatAddrSpec(address);
  if (address.name === "" && address.route === "") return spec;
  refuseControls(address.route);
  const route = address.route === "" ? "" : `${address.route}:`;
  return `${address.name === "" ? "" : `${phrase(address.name)} `}<${route}${spec}>`;
}

const atext = '[^\\p{Cc} <>@,;:"()[\\]\\\\.]';
const dotAtom = new RegExp(`^${atext}+(?:\\.${atext}+)*$`, "u");
const atoms = new RegExp(`^${atext}+(?: ${atext}+)*$`, "u");
const domainLiteral = /^\[[^[\]\\ ]*\]$/;
const controls = /\p{Cc}/u;

function phrase(name: string): string {
  return atoms.test(name) ? name : quote(name);
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function checkDomain(domain: string): string {
  if (dotAtom.test(domain) || domainLiteral.test(domain)) return domain;
  throw new LocalProtocolError("a domain holds a character that it may not");
}

function refuseControls(text: string): void {
  if (controls.test(text)) throw new LocalProtocolError("an address holds a control character");
}

/** Turns tokens into addresses: one pass, no recursion. */
class ListReader {
  readonly addresses: Address[] = [];
  readonly defects: string[];
  readonly #tokens: readonly AddressToken[];
  #at = 0;
  /** The words since the last separator: a name, or a local part. */
  #words: AddressToken[] = [];
  #comment = "";
  #group: { readonly name: string; readonly members: MailAddress[] } | undefined;
  /** The mailbox that was read and whose separator is still to come. */
  #mailbox: MailAddress | undefined;

  constructor(tokens: readonly AddressToken[], defects: readonly string[]) {
    this.#tokens = tokens;
    this.defects = [...defects];
  }

  read(): void {
    for (; this.#at < this.#tokens.length; this.#at += 1) {
      const token = this.#tokens[this.#at];
      if (token !== undefined) this.#token(token);
    }
    this.#finishMailbox();
    if (this.#group !== undefined) this.#endGroup("a group does not end");
  }

  #token(token: AddressToken): void {
    if (token.kind === "comment") this.#comment ||= token.text.trim();
    else if (token.kind !== "special") this.#word(token);
    else if (token.text === ",") this.#finishMailbox();
    else if (token.text === ";") this.#semicolon();
    else if (token.text === ":") this.#colon();
    else if (token.text === "<") this.#angle();
    else if (token.text === "@") this.#bareAddress();
    else this.#defect("a > without a <");
  }

  #word(token: AddressToken): void {
    if (this.#mailbox !== undefined) this.#defect("words behind an address");
    else this.#words.push(token);
  }

  #colon(): void {
    const begins = this.#group === undefined && this.#mailbox === undefined && this.#words.length > 0;
    if (begins) this.#group = { name: phraseOf(this.#words), members: [] };
    else this.#defect("a colon where no group begins");
    this.#words = [];
    this.#comment = "";
  }

  #semicolon(): void {
    this.#finishMailbox();
    if (this.#group === undefined) this.#defect("a semicolon where no group ends");
    else this.#endGroup();
  }

  #endGroup(defect?: string): void {
    if (defect !== undefined) this.#defect(defect);
    if (this.#group !== undefined) this.addresses.push({ kind: "group", ...this.#group });
    this.#group = undefined;
  }

  /** `<` [`@a,@b:`] local-part `@` domain `>` */
  #angle(): void {
    if (this.#mailbox !== undefined) this.#finishMailbox("an address without a comma before it");
    const name = phraseOf(this.#words);
    this.#words = [];
    this.#at += 1;
    const route = this.#route();
    const local: AddressToken[] = [];
    while (this.#isWord()) local.push(this.#take());
    const domain = this.#special("@") ? this.#domain() : "";
    if (!this.#special(">")) {
      this.#defect("an address in angle brackets does not end as it must");
      this.#skipTo(">");
    }
    this.#at -= 1;
    this.#setMailbox(name, route, localPartOf(local, this.defects), domain);
  }

  /** The obsolete route, which only says how mail once travelled (RFC 5322 section 4.4). */
  #route(): string {
    const hops: string[] = [];
    if (!this.#special("@", false)) return "";
    while (this.#special("@")) {
      hops.push(`@${this.#domain()}`);
      while (this.#special(","));
    }
    if (!this.#special(":")) this.#defect("a route without a colon");
    return hops.join(",");
  }

  /** Words, then `@`: the local part is what touches the `@`. */
  #bareAddress(): void {
    if (this.#mailbox !== undefined) this.#finishMailbox("a second @ in an address");
    let from = this.#words.length - 1;
    while (from > 0 && gluedTo(this.#words[from - 1], this.#words[from])) from -= 1;
    if (from > 0) this.#defect("a name without angle brackets behind it");
    const name = phraseOf(this.#words.slice(0, Math.max(from, 0)));
    const local = localPartOf(this.#words.slice(Math.max(from, 0)), this.defects);
    this.#words = [];
    this.#at += 1;
    const domain = this.#domain();
    this.#at -= 1;
    this.#setMailbox(name, "", local, domain);
  }

  #domain(): string {
    this.#skipComments();
    const first = this.#tokens[this.#at];
    if (first?.kind === "literal") return this.#take().text;
    let domain = "";
    while (this.#tokens[this.#at]?.kind === "atom" && (domain === "" || this.#dotBetween(domain)))
      domain += this.#take().text;
    if (!dotAtom.test(domain)) this.#defect("a domain is malformed");
    return domain;
  }

  #dotBetween(domain: string): boolean {
    return domain.endsWith(".") || this.#tokens[this.#at]?.text.startsWith(".") === true;
  }

  #setMailbox(name: string, route: string, localPart: string, domain: string): void {
    if (domain === "") this.#defect("an address has no domain");
    this.#mailbox = { kind: "mailbox", name, route, localPart, domain };
  }

  #finishMailbox(defect?: string): void {
    if (defect !== undefined) this.#defect(defect);
    if (this.#mailbox === undefined && this.#words.length > 0)
      this.#setMailbox("", "", localPartOf(this.#words, this.defects), "");
    if (this.#mailbox !== undefined) {
      // `alice@example.test (Alice)` is how names were written before angle brackets were.
      const name = this.#mailbox.name === "" ? this.#comment : this.#mailbox.name;
      const mailbox = { ...this.#mailbox, name };
      if (this.#group === undefined) this.addresses.push(mailbox);
      else this.#group.members.push(mailbox);
    }
    this.#mailbox = undefined;
    this.#words = [];
    this.#comment = "";
  }

  #isWord(): boolean {
    this.#skipComments();
    const kind = this.#tokens[this.#at]?.kind;
    return kind === "atom" || kind === "quoted" || kind === "literal";
  }

  #take(): AddressToken {
    const token = this.#tokens[this.#at] ?? { kind: "special", text: "", spaced: false };
    this.#at += 1;
    return token;
  }

  /** Whether the next token is this special; it is taken unless `take` is false. */
  #special(text: string, take = true): boolean {
    this.#skipComments();
    const token = this.#tokens[this.#at];
    if (token?.kind !== "special" || token.text !== text) return false;
    if (take) this.#at += 1;
    return true;
  }

  #skipComments(): void {
    for (let token = this.#tokens[this.#at]; token?.kind === "comment"; token = this.#tokens[this.#at]) {
      this.#comment ||= token.text.trim();
      this.#at += 1;
    }
  }

  /** Behind the next such special, but not beyond a comma: what follows is another address. */
  #skipTo(text: string): void {
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.kind === "special" && (token.text === "," || token.text === ";")) return;
      this.#at += 1;
      if (token.kind === "special" && token.text === text) return;
    }
  }

  #defect(text: string): void {
    if (this.defects.length < maxDefects) this.defects.push(text);
  }
}

const maxDefects = 20;

function phraseOf(words: readonly AddressToken[]): string {
  let out = "";
  for (const word of words) out += (out !== "" && word.spaced ? " " : "") + word.text;
  return out;
}

/** The words of a local part: `a.b`, `"a b"`, `a . b` (obsolete). */
function localPartOf(words: readonly AddressToken[], defects: string[]): string {
  const text = words.map((word) => word.text).join("");
  const glued = words.every((word, index) => index === 0 || dotJoins(words[index - 1], word));
  const dotted = words.length === 1 && words[0]?.kind === "quoted" ? true : !/^\.|\.\.|\.$/.test(text);
  const noLiteral = words.every((word) => word.kind !== "literal");
  if (!(glued && dotted && noLiteral) || words.length === 0) defects.push("a local part is malformed");
  return text;
}

function gluedTo(before: AddressToken | undefined, word: AddressToken | undefined): boolean {
  return word?.spaced === false || dotJoins(before, word);
}

function dotJoins(before: AddressToken | undefined, word: AddressToken | undefined): boolean {
  const dotBefore = before?.kind === "atom" && before.text.endsWith(".");
  return dotBefore || (word?.kind === "atom" && word.text.startsWith("."));
}
