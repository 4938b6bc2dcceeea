/** The names of mailboxes: RFC 9051 section 5.1. */
import { MailStoreError } from "./store-types.js";

/** What stands between the levels of a mailbox's name. */
export const hierarchyDelimiter = "/";

/**
 * The name as a store keeps it: the inbox as `INBOX` in whatever case it came, the text in Unicode's form NFC.
 *
 * @throws {MailStoreError} `bad-name`: it is empty, too long, has an empty level or a control character, or has half a surrogate pair.
 */
export function canonicalMailboxName(name: string, maxNameOctets = 1000): string {
  if (/\p{Cs}|\p{Cc}|\u2028|\u2029/u.test(name)) throw badName("a character that it may not hold");
  const normal = name.normalize("NFC");
  if (Buffer.byteLength(normal) > maxNameOctets) throw badName(`more than ${maxNameOctets} octets`);
  const [first = "", ...levels] = normal.split(hierarchyDelimiter);
  if (first === "" || levels.includes("")) throw badName("an empty level");
  return [first.toUpperCase() === "INBOX" ? "INBOX" : first, ...levels].join(hierarchyDelimiter);
}

/** The names above this one, the highest first: of `a/b/c`, `a` and `a/b`. */
export function superiorNames(name: string): readonly string[] {
  const levels = name.split(hierarchyDelimiter);
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join(hierarchyDelimiter));
}

/** Whether the one stands below the other in the hierarchy. */
export function isInferior(name: string, superior: string): boolean {
  return name.startsWith(superior + hierarchyDelimiter);
}

function badName(why: string): MailStoreError {
  return new MailStoreError("bad-name", `a mailbox's name has ${why}`);
}
