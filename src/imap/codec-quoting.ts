/** Text as atoms and quoted strings, for both directions: RFC 9051 section 4.3, section 9. */
import { LocalProtocolError } from "../core/errors.js";

const atom = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/;
const astring = /^[!#$&'+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/;
const listMailbox = /^[!#$%&'*+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/;
const unquotable = /[\0\r\n]/;
const ascii = /^[\0-\x7f]*$/;
/** RFC 9051 section 4.3.1 leaves it open; longer ones are literals, for some servers take no long line. */
const maxQuotedChars = 1000;

/** Whether the text can go out as an atom. NIL is not taken for one: it would be read as nothing. */
export function isAtom(text: string): boolean {
  return atom.test(text);
}

/** Whether the text can go out as an astring without quotes. */
export function isBareAstring(text: string): boolean {
  return astring.test(text) && !/^nil$/i.test(text);
}

/** Whether the text can go out as a LIST pattern without quotes. */
export function isBarePattern(text: string): boolean {
  return listMailbox.test(text) && !/^nil$/i.test(text);
}

/** Whether the text can be quoted. Text beyond ASCII can be only after ENABLE UTF8=ACCEPT or IMAP4rev2. */
export function isQuotable(text: string, utf8: boolean): boolean {
  return text.length <= maxQuotedChars && !unquotable.test(text) && (utf8 || ascii.test(text));
}

/** `"text"`, with `\` before `"` and `\`. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** @throws {LocalProtocolError} the text cannot go out as an atom. */
export function checkedAtom(text: string, what = "an atom"): string {
  if (!isAtom(text)) throw new LocalProtocolError(`${what} has characters that it may not have`);
  return text;
}

/** @throws {LocalProtocolError} the text is no tag: RFC 9051 section 9, any ASTRING-CHAR but `+`. */
export function checkedTag(text: string): string {
  if (!astring.test(text) || text.includes("+"))
    throw new LocalProtocolError("a tag has characters that it may not have");
  return text;
}

/** An astring that needs no literal. @throws {LocalProtocolError} it would need one. */
export function formatAstringText(text: string): string {
  if (isBareAstring(text)) return text;
  if (!isQuotable(text, false)) throw new LocalProtocolError("this text has characters that it may not have");
  return quote(text);
}

/** A flag or keyword: `\Seen`, `$Forwarded`, `\*`. @throws {LocalProtocolError} it is none. */
export function checkedFlag(flag: string): string {
  if (flag !== "\\*") checkedAtom(flag.startsWith("\\") ? flag.slice(1) : flag, "a flag");
  return flag;
}
