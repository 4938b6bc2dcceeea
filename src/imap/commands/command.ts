/** What the files of this folder share. */
import { LocalProtocolError } from "../../core/errors.js";
import type { Command } from "../client-command.js";
import { type EffectDetails, effectsOf } from "../client-effects.js";
import { inbox } from "../codec-mailbox-name.js";
import { atom, type CommandPart } from "../codec-parts.js";
import type { ImapResponse, MailboxNamed } from "../types-response.js";

/** A response of one type. */
export type ResponseOf<Type extends ImapResponse["type"]> = OneOf<ImapResponse, Type>;

/** Some members of the union stand for two types: the member whose types hold the one. */
type OneOf<Member, Type> = Member extends { readonly type: infer Types }
  ? Type extends Types
    ? Member
    : never
  : never;

/** A command whose answer is OK and no more. */
export function plain(name: string, ...parts: readonly CommandPart[]): Command<void> {
  return { name, parts: [atom(name), ...parts], effects: effectsOf(name), done: () => {} };
}

/** A command that gathers the responses of one type. */
export function gathering<Type extends ImapResponse["type"]>(
  type: Type,
  name: string,
  parts: readonly CommandPart[],
  isMine: (response: ResponseOf<Type>) => boolean = () => true,
): Command<ResponseOf<Type>[]> {
  const found: ResponseOf<Type>[] = [];
  return {
    name,
    parts: [atom(name), ...parts],
    effects: effectsOf(name),
    take: (response) => {
      if (response.type !== type || !isMine(response as ResponseOf<Type>)) return false;
      found.push(response as ResponseOf<Type>);
      return true;
    },
    done: () => found,
  };
}

/** The command with another result. */
export function mapped<From, To>(command: Command<From>, convert: (result: From) => To): Command<To> {
  return { ...command, done: (status) => convert(command.done(status)) };
}

/** `UID` before the name, where it is asked for. */
export function named(
  name: string,
  uid: boolean,
  details: EffectDetails = {},
): Pick<Command<unknown>, "name" | "effects"> & { readonly words: readonly CommandPart[] } {
  return {
    name: uid ? `UID ${name}` : name,
    words: uid ? [atom("UID"), atom(name)] : [atom(name)],
    effects: effectsOf(name, { uid, ...details }),
  };
}

const signs: Readonly<Record<string, string>> = {
  __proto__: null as never,
  add: "+",
  remove: "-",
  replace: "",
};

/** The sign of a change to flags or rights. @throws {LocalProtocolError} there is no such change. */
export function signOf(mode: "add" | "remove" | "replace"): string {
  const sign = signs[mode];
  if (sign === undefined) throw new LocalProtocolError("a change is add, remove or replace");
  return sign;
}

/** @throws {LocalProtocolError} a list that needs a member has none. */
export function some<T>(values: readonly T[], what: string): readonly T[] {
  if (values.length === 0) throw new LocalProtocolError(`${what} is missing`);
  return values;
}

/** Whether a response is about the mailbox that was named. INBOX ignores case. */
export function isAbout(response: MailboxNamed, name: string | Uint8Array): boolean {
  if (name instanceof Uint8Array)
    return Buffer.from(response.rawMailbox ?? Buffer.from(response.mailbox)).equals(name);
  return name === response.mailbox || inbox(name) === response.mailbox;
}
