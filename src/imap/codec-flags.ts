/** Flags by their usual spelling: RFC 9051 section 2.3.2. */

const systemFlags = new Map(
  ["Answered", "Flagged", "Deleted", "Seen", "Draft", "Recent"].map((name) => [
    name.toLowerCase(),
    `\\${name}`,
  ]),
);
const knownFlags = new Map<string, string>();

/** A system flag in its usual spelling: `\SEEN` is `\Seen` (RFC 9051 section 2.3.2: flags ignore case). */
export function flagOf(name: string): string {
  return knownFlags.get(name) ?? newFlag(name);
}

function newFlag(name: string): string {
  const flag = systemFlags.get(name.toLowerCase()) ?? `\\${name}`;
  if (knownFlags.size < 256 && name.length <= 32) knownFlags.set(name, flag);
  return flag;
}
