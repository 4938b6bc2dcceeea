/** The messages of APPEND and REPLACE: RFC 9051 section 6.3.12, RFC 3502, RFC 4469, RFC 6855, RFC 8508. */
import { mailbox } from "./codec-arguments.js";
import { parseDateTime } from "./codec-date.js";
import type { FrameLiteral } from "./codec-framer.js";
import type { TokenReader } from "./codec-tokens.js";
import type { AppendMessage, CatenatePart, CommandArguments } from "./types-command.js";
import type { StreamedLiteral } from "./types-message.js";

const open = 0x28;

/** A mailbox, then one message or several (MULTIAPPEND). */
export function append(r: TokenReader): CommandArguments["APPEND"] {
  const name = mailbox(r);
  const messages = [appendMessage(r)];
  while (!r.done) {
    if (messages.length >= r.limits.maxItems) r.fail("a list is too long");
    messages.push(appendMessage(r));
  }
  return { mailbox: name, messages };
}

/** A message's number or UID, a mailbox, and the message that takes its place (RFC 8508). */
export function replace(r: TokenReader): CommandArguments["REPLACE"] {
  r.sp();
  const message = r.number();
  return { message, mailbox: mailbox(r), by: appendMessage(r) };
}

/** append-message: flags perhaps, a date perhaps, and the data. */
export function appendMessage(r: TokenReader): AppendMessage {
  r.sp();
  const flags = r.byte === open ? r.flagList() : [];
  r.spaces();
  const date = r.byte === 0x22 ? parseDateTime(r.quoted()) : undefined;
  r.spaces();
  return { flags, date, ...appendData(r) };
}

function appendData(r: TokenReader): Pick<AppendMessage, "data" | "binary" | "utf8"> {
  if (r.acceptWord("CATENATE")) return { data: catenate(r), binary: false, utf8: false };
  const utf8 = r.acceptWord("UTF8");
  if (!utf8) return { ...dataOf(r, r.frameLiteral()), utf8 };
  r.sp();
  r.expect(open);
  const data = dataOf(r, r.frameLiteral());
  r.expect(0x29);
  return { ...data, utf8 };
}

function dataOf(
  r: TokenReader,
  literal: FrameLiteral,
): { data: Uint8Array | StreamedLiteral; binary: boolean } {
  const { binary, octets } = literal;
  return { data: literal.data ?? { streamed: true, octets, index: r.indexOfLiteral(literal) }, binary };
}

/** cat-part: `URL` astring or `TEXT` literal. */
function catenate(r: TokenReader): CatenatePart[] {
  r.sp();
  const parts = r.list((): CatenatePart => {
    if (r.acceptWord("URL")) {
      r.sp();
      return { url: r.astring() };
    }
    if (!r.acceptWord("TEXT")) r.fail("URL or TEXT was due");
    r.sp();
    return dataOf(r, r.frameLiteral());
  });
  return parts.length > 0 ? parts : r.fail("a part was due");
}
