/** What stands between the brackets of BODY[…] and BINARY[…], and behind them: RFC 9051 section 6.4.5.1. */
import { LocalProtocolError } from "../core/errors.js";
import { formatAstringText } from "./codec-quoting.js";
import type { TokenReader } from "./codec-tokens.js";
import type { Section, SectionText } from "./types-message.js";

const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The whole message: BODY[]. */
export const wholeMessage: Section = Object.freeze({ part: "", text: "", fields: [] });

/** section: `[` section-spec `]`. */
export function section(r: TokenReader): Section {
  r.expect(openBracket);
  if (r.accept(closeBracket)) return wholeMessage;
  const part = sectionPart(r);
  const text = part === "" || r.accept(0x2e) ? sectionText(r) : "";
  r.spaces();
  const fields = text.startsWith("HEADER.FIELDS") ? r.list(() => r.astring()) : [];
  r.spaces();
  r.expect(closeBracket);
  return { part, text, fields };
}

/** section-binary: `[` section-part `]`, which is a part's number or nothing. */
export function sectionBinary(r: TokenReader): string {
  r.expect(openBracket);
  const part = sectionPart(r);
  r.expect(closeBracket);
  return part;
}

/** section-part: numbers with dots between them; the dot before a word is left. */
function sectionPart(r: TokenReader): string {
  const found = /^[0-9]+(?:\.[0-9]+)*/.exec(r.text.toString("latin1", r.pos, Math.min(r.end, r.pos + 400)));
  const part = found?.[0] ?? "";
  r.pos += part.length;
  return part;
}

const texts: readonly SectionText[] = ["HEADER.FIELDS.NOT", "HEADER.FIELDS", "HEADER", "TEXT", "MIME"];

function sectionText(r: TokenReader): SectionText {
  return texts.find((text) => r.acceptWord(text)) ?? r.fail("a section was due");
}

/** `<` number `>`, where the octets begin. */
export function origin(r: TokenReader): number | undefined {
  if (!r.accept(0x3c)) return undefined;
  const octet = r.number();
  r.expect(0x3e);
  return octet;
}

/** `[1.2.HEADER.FIELDS (DATE FROM)]`. @throws {LocalProtocolError} there is no such section. */
export function formatSection({ part, text, fields }: Section): string {
  if (part !== "" && !/^[1-9][0-9]*(?:\.[1-9][0-9]*)*$/.test(part))
    throw new LocalProtocolError("a part's number looks like 1.2.3");
  if (text !== "" && !texts.includes(text)) throw new LocalProtocolError(`there is no section ${text}`);
  if (text.startsWith("HEADER.FIELDS") !== fields.length > 0)
    throw new LocalProtocolError("HEADER.FIELDS needs field names, and nothing else has them");
  if (text === "MIME" && part === "") throw new LocalProtocolError("MIME needs a part");
  const words = part !== "" && text !== "" ? `${part}.${text}` : `${part}${text}`;
  const names = fields.length === 0 ? "" : ` (${fields.map(formatAstringText).join(" ")})`;
  return `[${words}${names}]`;
}
