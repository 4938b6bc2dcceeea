/** The base subject, by which messages are sorted and threaded: RFC 5256 section 2.1. */
import { decodeWords } from "../mail/index.js";

const blob = /^\[[^[\]]*\]\s*/;
const leader = /^(?:re|fwd?)\s*(?:\[[^[\]]*\]\s*)?:\s*/i;
const maxSubjectChars = 2000;

/** A subject without what answers and lists have put around it. */
export interface BaseSubject {
  /** In capitals, so that the case does not matter. */
  readonly text: string;
  readonly isReply: boolean;
}

export function baseSubject(subject: string | undefined): BaseSubject {
  let text = decodeWords((subject ?? "").slice(0, maxSubjectChars))
    .replace(/\s+/g, " ")
    .trim();
  let isReply = false;
  for (;;) {
    const trailed = text.replace(/(?:\s*\(fwd\))+$/i, "");
    if (trailed !== text) isReply = true;
    const led = withoutLeaders(trailed);
    isReply ||= led.isReply;
    text = led.text;
    const forwarded = /^\[fwd:(.*)\]$/i.exec(text);
    if (forwarded === null) return { text: text.trim().toUpperCase(), isReply };
    text = (forwarded[1] ?? "").trim();
    isReply = true;
  }
}

/** Steps 3 to 5: `Re:`, `Fwd:` and `[blob]` in front, but never all of it. */
function withoutLeaders(subject: string): BaseSubject {
  let text = subject;
  let isReply = false;
  for (;;) {
    const withoutLeader = stripLeader(text);
    const withoutBlob = (withoutLeader ?? text).replace(blob, "");
    const next = withoutBlob === "" ? (withoutLeader ?? text) : withoutBlob;
    isReply ||= withoutLeader !== undefined;
    if (next === text) return { text, isReply };
    text = next;
  }
}

/** subj-leader: blobs may stand before the `Re:`. */
function stripLeader(text: string): string | undefined {
  let rest = text;
  for (let found = blob.exec(rest); found !== null; found = blob.exec(rest))
    rest = rest.slice(found[0].length);
  const found = leader.exec(rest);
  return found === null ? undefined : rest.slice(found[0].length);
}
