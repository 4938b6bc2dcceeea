/** GETMETADATA and SETMETADATA: RFC 5464. */
import type { Command } from "../client-command.js";
import { effectsOf } from "../client-effects.js";
import { astring, atom, type CommandPart, list, literal8, mailbox, nstring, number } from "../codec-parts.js";
import { plain, some } from "./command.js";
import type { MailboxName } from "./mailboxes.js";

/** How annotations are asked for. */
export interface GetMetadataOptions {
  /** Values that are longer are left out; `longEntries` of the result says so. In octets. */
  readonly maxSize?: number | undefined;
  /** How far below each entry to look. Default `"0"`: the entry itself. */
  readonly depth?: "0" | "1" | "infinity" | undefined;
}

/** What annotations there are. */
export interface Metadata {
  /** By the names of the entries; null where there is no value. */
  readonly entries: ReadonlyMap<string, Uint8Array | null>;
  /** The size of the longest value that was left out for `maxSize`, in octets. */
  readonly longEntries: number | undefined;
}

/** GETMETADATA. The mailbox `""` is the server itself. */
export function getMetadata(
  name: MailboxName,
  entries: readonly string[],
  { maxSize, depth }: GetMetadataOptions,
): Command<Metadata> {
  const options: CommandPart[] = [
    ...(maxSize === undefined ? [] : [atom("MAXSIZE"), number(maxSize)]),
    ...(depth === undefined ? [] : [atom("DEPTH"), atom(depth)]),
  ];
  const found: Map<string, Uint8Array | null> = new Map();
  return {
    name: "GETMETADATA",
    parts: [
      atom("GETMETADATA"),
      ...(options.length === 0 ? [] : [list(...options)]),
      mailbox(name),
      list(...some(entries, "an entry").map(astring)),
    ],
    effects: effectsOf("GETMETADATA"),
    take: (response) => {
      if (response.type !== "metadata") return false;
      for (const entry of response.entries) found.set(entry.name, entry.value ?? null);
      return true;
    },
    done: ({ code }) => {
      const long = code?.name === "METADATA" && code.detail === "LONGENTRIES" ? code.value : undefined;
      return { entries: found, longEntries: long };
    },
  };
}

/** SETMETADATA: null removes an entry. */
export function setMetadata(
  name: MailboxName,
  entries: Readonly<Record<string, string | Uint8Array | null>>,
): Command<void> {
  const words = Object.entries(entries).flatMap(([entry, value]) => [astring(entry), valuePart(value)]);
  return plain("SETMETADATA", mailbox(name), list(...some(words, "an entry")));
}

function valuePart(value: string | Uint8Array | null): CommandPart {
  return value instanceof Uint8Array && value.includes(0) ? literal8(value) : nstring(value);
}
