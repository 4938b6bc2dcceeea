/** A message's flags as text, which is made once for each set of flags. */
import type { MessageInfo } from "../mail/store.js";
import { checkedFlag } from "./codec-quoting.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import type { Session } from "./server-session.js";

const texts = new WeakMap<readonly string[], string>();

/** `(\Seen $Forwarded)`, with `\Recent` where this session was told of the message first. */
export function flagsText(session: Session, mailbox: SelectedMailbox, message: MessageInfo): string {
  const text = textOf(message.flags);
  if (session.rev2 || !mailbox.isRecent(message.uid)) return text;
  return text === "()" ? "(\\Recent)" : `${text.slice(0, -1)} \\Recent)`;
}

function textOf(flags: readonly string[]): string {
  const known = texts.get(flags);
  if (known !== undefined) return known;
  const text = `(${flags.map(checkedFlag).join(" ")})`;
  texts.set(flags, text);
  return text;
}

/** The same as a list. */
export function flagsOf(
  session: Session,
  mailbox: SelectedMailbox,
  { flags, uid }: MessageInfo,
): readonly string[] {
  return session.rev2 || !mailbox.isRecent(uid) ? flags : [...flags, "\\Recent"];
}
