/** APPEND and REPLACE: RFC 9051 section 6.3.12, RFC 3502, RFC 4315, RFC 6855, RFC 8508. */
import type { Command } from "../client-command.js";
import { effectsOf } from "../client-effects.js";
import {
  atom,
  type CommandPart,
  dateTime,
  flag,
  joined,
  type LiteralSource,
  list,
  literal,
  literal8,
  mailbox,
  number,
} from "../codec-parts.js";
import type { UidSet } from "../codec-sequence-set.js";
import type { ResponseCode } from "../types-response.js";
import { named, some } from "./command.js";
import type { MailboxName } from "./mailboxes.js";

/** A message that is ready to be sent. */
export interface OutgoingMessage {
  readonly data: LiteralSource;
  readonly flags: readonly string[];
  /** The internal date; the server's clock where it is undefined. */
  readonly date: Date | undefined;
  /** As a literal8, which may hold NUL (BINARY). */
  readonly binary: boolean;
  /** As `UTF8 (~{n})`: its header has UTF-8 in it (RFC 6855 section 4). */
  readonly utf8: boolean;
}

/** Where a message went: RFC 4315 section 3. */
export interface Appended {
  readonly uidValidity: number;
  readonly uids: UidSet;
}

/** APPEND. Several messages need MULTIAPPEND. */
export function append(to: MailboxName, messages: readonly OutgoingMessage[]): Command<Appended | undefined> {
  return {
    name: "APPEND",
    parts: [atom("APPEND"), mailbox(to), ...some(messages, "a message").flatMap(messageParts)],
    effects: effectsOf("APPEND"),
    done: ({ code }) => appended(code),
  };
}

/** REPLACE: RFC 8508. */
export function replace(
  message: number,
  uid: boolean,
  to: MailboxName,
  by: OutgoingMessage,
): Command<Appended | undefined> {
  const { words, ...base } = named("REPLACE", uid);
  let early: Appended | undefined;
  return {
    ...base,
    parts: [...words, number(message), mailbox(to), ...messageParts(by)],
    take: (response) => {
      const found = response.type === "status" ? appended(response.code) : undefined;
      early ??= found;
      return found !== undefined || response.type === "expunge" || response.type === "vanished";
    },
    done: ({ code }) => appended(code) ?? early,
  };
}

function messageParts({ data, flags, date, binary, utf8 }: OutgoingMessage): CommandPart[] {
  const octets = binary || utf8 ? literal8(data) : literal(data);
  return [
    ...(flags.length === 0 ? [] : [list(...flags.map(flag))]),
    ...(date === undefined ? [] : [dateTime(date)]),
    ...(utf8 ? [atom("UTF8"), list(joined(octets))] : [octets]),
  ];
}

function appended(code: ResponseCode | undefined): Appended | undefined {
  return code?.name === "APPENDUID" ? { uidValidity: code.uidValidity, uids: code.uids } : undefined;
}
