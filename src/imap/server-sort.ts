/** SORT: RFC 5256 section 3, RFC 5957 (DISPLAYFROM, DISPLAYTO), RFC 5267 (ESORT). */
import { decodeWords, scanAddressList } from "../mail/index.js";
import type { Candidate } from "./server-candidate.js";
import { sentMs } from "./server-dates.js";
import type { CommandFront } from "./server-dispatch.js";
import { Pace } from "./server-pace.js";
import { find, returnsOf, tellFound } from "./server-search.js";
import type { Session } from "./server-session.js";
import { baseSubject } from "./server-subject.js";
import type { CommandArguments, SortCriterion } from "./types-command.js";

type SortKey = string | number;

export async function sort(
  session: Session,
  command: CommandArguments["SORT"] & CommandFront,
): Promise<void> {
  // IMAP4rev2 changes SEARCH alone: SORT without RETURN is answered by SORT.
  const returns = command.returns === undefined ? undefined : returnsOf(session, command);
  const found = await sorted(await find(session, command), command.criteria);
  await tellFound(session, command, "sort", found, returns);
}

async function sorted(found: readonly Candidate[], criteria: readonly SortCriterion[]): Promise<Candidate[]> {
  const keyed: { readonly candidate: Candidate; readonly keys: readonly SortKey[] }[] = [];
  const pace = new Pace();
  for (const candidate of found) {
    const keys: SortKey[] = [];
    for (const { by } of criteria) keys.push(await keyOf[by](candidate));
    keyed.push({ candidate, keys });
    await pace.step();
  }
  keyed.sort((a, b) => compare(a.keys, b.keys, criteria) || a.candidate.sequence - b.candidate.sequence);
  return keyed.map(({ candidate }) => candidate);
}

function compare(a: readonly SortKey[], b: readonly SortKey[], criteria: readonly SortCriterion[]): number {
  for (const [index, { reverse }] of criteria.entries()) {
    const [one, other] = [a[index] as SortKey, b[index] as SortKey];
    if (one !== other) return one < other === reverse ? 1 : -1;
  }
  return 0;
}

const keyOf: Readonly<Record<SortCriterion["by"], (candidate: Candidate) => SortKey | Promise<SortKey>>> = {
  ARRIVAL: ({ info }) => info.internalDate.getTime(),
  SIZE: ({ info }) => info.sizeOctets,
  DATE: sentOrArrived,
  SUBJECT: async (candidate) => baseSubject((await candidate.header()).get("subject")).text,
  FROM: (candidate) => mailboxOf(candidate, "from"),
  TO: (candidate) => mailboxOf(candidate, "to"),
  CC: (candidate) => mailboxOf(candidate, "cc"),
  DISPLAYFROM: (candidate) => displayOf(candidate, "from"),
  DISPLAYTO: (candidate) => displayOf(candidate, "to"),
};

/** RFC 5256 section 2.2: what has no date was sent when it arrived. */
export async function sentOrArrived(candidate: Candidate): Promise<number> {
  return sentMs((await candidate.header()).get("date")) ?? candidate.info.internalDate.getTime();
}

async function firstAddress(candidate: Candidate, field: string) {
  const [first] = scanAddressList((await candidate.header()).get(field) ?? "").addresses;
  return first;
}

/** The local part of the first address, or the group's name. */
async function mailboxOf(candidate: Candidate, field: string): Promise<string> {
  const first = await firstAddress(candidate, field);
  if (first === undefined) return "";
  return (first.kind === "group" ? first.name : first.localPart).toUpperCase();
}

/** RFC 5957 section 3: the name where there is one, else the address. */
async function displayOf(candidate: Candidate, field: string): Promise<string> {
  const first = await firstAddress(candidate, field);
  if (first === undefined) return "";
  if (first.kind === "group" || first.name !== "") return decodeWords(first.name).toUpperCase();
  return `${first.localPart}@${first.domain}`.toUpperCase();
}
