/** LIST, plain and extended, and LSUB: RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 3501 section 6.3.9. */
import { hierarchyDelimiter, type MailboxInfo, superiorNames } from "../mail/store.js";
import { checkStatusItems, tellStatus } from "./server-folders.js";
import { bad } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { ListArguments } from "./types-command.js";

/** A name that LIST may show, whether there is a mailbox of it or not. */
interface Listed {
  readonly name: string;
  readonly info: MailboxInfo | undefined;
  readonly subscribed: boolean;
  readonly hasChildren: boolean;
  readonly childSubscribed: boolean;
}

const selections = ["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"];
const returnOptions = ["SUBSCRIBED", "CHILDREN", "SPECIAL-USE"];

export async function list(session: Session, command: ListArguments): Promise<void> {
  checkOptions(session, command);
  if (isDelimiterQuestion(command)) return tellDelimiter(session, command.reference);
  const wanted = wantedOf(command);
  for (const listed of await namesOf(session)) {
    if (!matchesAny(command, listed.name)) continue;
    const how = wanted(listed);
    if (how === undefined) continue;
    tellListed(session, command, listed, how);
    if (command.status !== undefined && listed.info !== undefined)
      await tellStatus(session, listed.info.mailboxId, listed.name, command.status);
    await session.connection.breathe();
  }
}

/** RFC 3501 section 6.3.9: what is subscribed, and for `%` the names above it as `\Noselect`. */
export async function lsub(session: Session, command: ListArguments): Promise<void> {
  for (const listed of await namesOf(session)) {
    const above = listed.childSubscribed && command.patterns.some((pattern) => pattern.endsWith("%"));
    if ((!listed.subscribed && !above) || !matchesAny(command, listed.name)) continue;
    const attributes = listed.subscribed ? [] : ["\\Noselect"];
    session.respond({ type: "lsub", attributes, delimiter: hierarchyDelimiter, mailbox: listed.name });
  }
}

function checkOptions(session: Session, { selection, returns = [], status, metadata }: ListArguments): void {
  const known =
    selection.every((option) => selections.includes(option)) &&
    returns.every((option) => returnOptions.includes(option)) &&
    metadata === undefined;
  if (!known) throw bad("there is no such option of LIST");
  // RFC 5258 section 3.1: RECURSIVEMATCH says how others match.
  if (
    selection.includes("RECURSIVEMATCH") &&
    !selection.some((one) => one !== "RECURSIVEMATCH" && one !== "REMOTE")
  )
    throw bad("RECURSIVEMATCH needs another option");
  if (status !== undefined) checkStatusItems(session, status);
}

/** RFC 9051 section 6.3.9: an empty name asks for the delimiter and the root. */
function isDelimiterQuestion({ patterns, selection, returns }: ListArguments): boolean {
  return patterns.length === 1 && patterns[0] === "" && selection.length === 0 && returns === undefined;
}

function tellDelimiter(session: Session, reference: string): void {
  const end = reference.lastIndexOf(hierarchyDelimiter);
  session.respond({
    ...{ type: "list", attributes: ["\\Noselect"], delimiter: hierarchyDelimiter },
    mailbox: end < 0 ? "" : reference.slice(0, end + 1),
  });
}

/** All names in order: mailboxes, what is subscribed without being there, and names that only stand above others. */
async function namesOf(session: Session): Promise<readonly Listed[]> {
  const infos = new Map((await session.store.mailboxes(session.user)).map((info) => [info.name, info]));
  const subscribed = new Set(await session.store.subscriptions(session.user));
  const parents = new Set([...infos.keys()].flatMap((name) => superiorNames(name)));
  const subscribedParents = new Set([...subscribed].flatMap((name) => superiorNames(name)));
  const names = new Set([...infos.keys(), ...subscribed, ...parents, ...subscribedParents]);
  return [...names].sort(inOrder).map((name) => ({
    ...{ name, info: infos.get(name), subscribed: subscribed.has(name) },
    ...{ hasChildren: parents.has(name), childSubscribed: subscribedParents.has(name) },
  }));
}

/** INBOX first, as clients like it. */
function inOrder(a: string, b: string): number {
  if (a === "INBOX" || b === "INBOX") return a === b ? 0 : a === "INBOX" ? -1 : 1;
  return a < b ? -1 : 1;
}

/** How a name was selected: by itself, or by what stands below it (RFC 5258 section 3.5). */
type Selected = { readonly childInfo: readonly string[] | undefined };

function wantedOf({ selection, patterns }: ListArguments): (listed: Listed) => Selected | undefined {
  const recursive = selection.includes("RECURSIVEMATCH");
  const subscribedOnly = selection.includes("SUBSCRIBED");
  const specialOnly = selection.includes("SPECIAL-USE");
  const hasParents = patterns.some((pattern) => pattern.endsWith("%"));
  return (listed) => {
    const self =
      (!specialOnly || (listed.info?.specialUse.length ?? 0) > 0) &&
      (subscribedOnly ? listed.subscribed : listed.info !== undefined);
    const byChild = recursive && subscribedOnly && listed.childSubscribed;
    if (byChild) return { childInfo: ["SUBSCRIBED"] };
    if (self) return { childInfo: undefined };
    const isParent = !subscribedOnly && !specialOnly && listed.info === undefined && listed.hasChildren;
    return isParent && hasParents ? { childInfo: undefined } : undefined;
  };
}

function tellListed(session: Session, command: ListArguments, listed: Listed, { childInfo }: Selected): void {
  session.respond({
    ...{ type: "list", attributes: attributesOf(session, command, listed), delimiter: hierarchyDelimiter },
    ...{ mailbox: listed.name, ...(childInfo !== undefined && { childInfo }) },
  });
}

function attributesOf(
  session: Session,
  { selection, returns }: ListArguments,
  { info, subscribed, hasChildren }: Listed,
): string[] {
  const extended = session.rev2 || returns !== undefined || selection.length > 0;
  const attributes: string[] = [];
  if (info === undefined) attributes.push(extended ? "\\NonExistent" : "\\Noselect");
  const tellsSubscribed = selection.includes("SUBSCRIBED") || returns?.includes("SUBSCRIBED") === true;
  if (subscribed && tellsSubscribed) attributes.push("\\Subscribed");
  attributes.push(hasChildren ? "\\HasChildren" : "\\HasNoChildren");
  return [...attributes, ...(info?.specialUse ?? [])];
}

function matchesAny({ reference, patterns }: ListArguments, name: string): boolean {
  return patterns.some((pattern) => matches(canonical(reference + pattern), name));
}

/** The inbox in whatever case (RFC 9051 section 5.1). */
function canonical(pattern: string): string {
  return pattern.replace(/^inbox(?=$|\/)/i, "INBOX");
}

/**
 * Whether a name matches: `*` is anything, `%` anything within a level. In time proportional to the product of the
 * lengths, whatever the pattern is: a regular expression of many `*` would take for ever.
 */
export function matches(pattern: string, name: string): boolean {
  const text = pattern.replace(/[*%]*\*[*%]*/g, "*").replace(/%+/g, "%");
  // The places in the pattern that the name may have come to.
  let places = closure(text, new Set([0]));
  for (const char of name) {
    const next = new Set<number>();
    for (const at of places) {
      const wild = text[at];
      if (wild === "*" || (wild === "%" && char !== hierarchyDelimiter)) next.add(at);
      else if (wild !== "%" && text.startsWith(char, at)) next.add(at + char.length);
    }
    places = closure(text, next);
  }
  return places.has(text.length);
}

/** A wildcard may stand for nothing. */
function closure(text: string, places: Set<number>): Set<number> {
  for (const at of places) if (text[at] === "*" || text[at] === "%") places.add(at + 1);
  return places;
}
