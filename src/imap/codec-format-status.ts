/** Status responses and their codes as servers send them: RFC 9051 section 7.1. */
import { LocalProtocolError } from "../core/errors.js";
import { checkedAtom, checkedFlag, checkedTag, quote } from "./codec-quoting.js";
import { type ResponseWriter, wireNumber } from "./codec-response-writer.js";
import type { ResponseCode, StatusResponse } from "./types-response.js";

/** `tag OK [CODE] text`, or `* BYE text` without a tag. */
export function formatStatus(
  w: ResponseWriter,
  { tag, status, code, text }: Pick<StatusResponse, "tag" | "status" | "code" | "text">,
): void {
  w.text(`${tag === undefined ? "*" : checkedTag(tag)} ${status} `);
  formatCodeAndText(w, code, text);
}

/** resp-text: `[CODE] text`. */
export function formatCodeAndText(w: ResponseWriter, code: ResponseCode | undefined, text: string): void {
  if (code !== undefined) w.text("[").humanText(formatCode(code)).text("] ");
  // Without a code, text that begins with a bracket would be read as one.
  if (code === undefined && text.startsWith("[")) w.text(" ");
  w.humanText(text);
}

/** What stands between the brackets. */
function formatCode(code: ResponseCode): string {
  const values = codeValues(code);
  const name = code.name === "other" ? code.label : code.name;
  return values === "" ? name : `${name} ${values}`;
}

function codeValues(code: ResponseCode): string {
  switch (code.name) {
    case "CAPABILITY":
      return code.capabilities.map((word) => checkedAtom(word)).join(" ");
    case "PERMANENTFLAGS":
      return `(${code.flags.map(checkedFlag).join(" ")})`;
    case "BADCHARSET":
      return optionalList(code.charsets);
    case "BADEVENT":
      return optionalList(code.events);
    case "APPENDUID":
      return `${wireNumber(code.uidValidity)} ${code.uids}`;
    case "COPYUID":
      return `${wireNumber(code.uidValidity)} ${code.source} ${code.destination}`;
    case "HIGHESTMODSEQ":
      return wireNumber(code.modSeq);
    case "MODIFIED":
      return String(code.set);
    case "METADATA":
      return code.value === undefined ? code.detail : `${code.detail} ${wireNumber(code.value)}`;
    case "MAILBOXID":
      return `(${checkedAtom(code.id)})`;
    case "MESSAGELIMIT":
      return [code.value, ...(code.lowestUid === undefined ? [] : [code.lowestUid])]
        .map(wireNumber)
        .join(" ");
    case "INPROGRESS":
      return inProgress(code);
    case "other":
      return bracketless(code.text);
    default:
      return "value" in code ? plainValue(code.value) : "";
  }
}

function plainValue(value: number | string): string {
  return typeof value === "number" ? wireNumber(value) : bracketless(value);
}

function optionalList(words: readonly string[]): string {
  return words.length === 0 ? "" : `(${words.map((word) => checkedAtom(word)).join(" ")})`;
}

function inProgress({ tag, current, goal }: Extract<ResponseCode, { name: "INPROGRESS" }>): string {
  if (tag === null && current === null && goal === null) return "";
  const number = (value: number | null) => (value === null ? "NIL" : wireNumber(value));
  return `(${tag === null ? "NIL" : quote(tag)} ${number(current)} ${number(goal)})`;
}

/** Text in a code: a bracket outside of quotes would end it. */
function bracketless(text: string): string {
  if (text.replace(/"(?:[^"\\]|\\.)*"/g, "").includes("]"))
    throw new LocalProtocolError("a code holds no bracket");
  return text;
}
