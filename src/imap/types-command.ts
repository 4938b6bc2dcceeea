/** What a client asks for, as plain data: RFC 9051 section 6 and the extensions. */
import type { Secret } from "../core/secret.js";
import type { ImapDate } from "./codec-date.js";
import type { SequenceSet, UidSet } from "./codec-sequence-set.js";
import type { Section, StreamedLiteral } from "./types-message.js";
import type { QuotaResource } from "./types-response.js";

/** Items of FETCH that are one word. */
export type PlainFetchItem =
  | ("FLAGS" | "UID" | "INTERNALDATE" | "RFC822.SIZE" | "ENVELOPE" | "BODY" | "BODYSTRUCTURE" | "MODSEQ")
  | ("RFC822" | "RFC822.HEADER" | "RFC822.TEXT" | "EMAILID" | "THREADID" | "SAVEDATE")
  | ("X-GM-MSGID" | "X-GM-THRID" | "X-GM-LABELS");

/** The octets asked for: `<offset.octets>`. */
export interface PartialOctets {
  readonly offset: number;
  readonly octets: number;
}

/** An item of FETCH. The macros ALL, FAST and FULL are read as what they stand for. */
export type FetchItem =
  | { readonly item: PlainFetchItem }
  | { readonly item: "PREVIEW"; readonly lazy: boolean }
  | {
      readonly item: "BODY[]";
      readonly section: Section;
      readonly peek: boolean;
      readonly partial: PartialOctets | undefined;
    }
  | {
      readonly item: "BINARY[]";
      readonly part: string;
      readonly peek: boolean;
      readonly partial: PartialOctets | undefined;
    }
  | { readonly item: "BINARY.SIZE"; readonly part: string };

/** Search keys that are one word. */
export type PlainSearchKey =
  | ("ALL" | "ANSWERED" | "DELETED" | "DRAFT" | "FLAGGED" | "NEW" | "OLD" | "RECENT" | "SEEN")
  | ("UNANSWERED" | "UNDELETED" | "UNDRAFT" | "UNFLAGGED" | "UNSEEN" | "SAVEDATESUPPORTED");

/** Search keys with a text. */
export type TextSearchKey =
  | ("BCC" | "BODY" | "CC" | "FROM" | "SUBJECT" | "TEXT" | "TO")
  | ("EMAILID" | "THREADID" | "FILTER" | "X-GM-RAW" | "X-GM-LABELS");

/** Search keys with a day. */
export type DateSearchKey =
  | ("BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE")
  | ("SAVEDBEFORE" | "SAVEDON" | "SAVEDSINCE");

/** What SEARCH looks for: RFC 9051 section 6.4.4, RFC 5032, RFC 7162, RFC 8474, RFC 8514, RFC 6203. */
export type SearchKey =
  | { readonly key: PlainSearchKey }
  | { readonly key: TextSearchKey; readonly text: string }
  | { readonly key: DateSearchKey; readonly date: ImapDate }
  | { readonly key: "KEYWORD" | "UNKEYWORD"; readonly flag: string }
  | { readonly key: "LARGER" | "SMALLER"; readonly octets: number }
  | { readonly key: "OLDER" | "YOUNGER"; readonly seconds: number }
  | { readonly key: "HEADER"; readonly field: string; readonly text: string }
  | {
      readonly key: "MODSEQ";
      readonly modSeq: bigint;
      readonly entry?: { readonly name: string; readonly scope: "priv" | "shared" | "all" };
    }
  | { readonly key: "X-GM-MSGID" | "X-GM-THRID"; readonly id: bigint }
  | { readonly key: "SEQUENCE" | "UID"; readonly set: SequenceSet }
  | { readonly key: "NOT" | "FUZZY"; readonly operand: SearchKey }
  | { readonly key: "OR"; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly key: "AND"; readonly keys: readonly SearchKey[] };

/** A range of results, counted from the end where negative: `1:100`, `-1:-100` (RFC 9394). */
export interface PartialRange {
  readonly first: number;
  readonly last: number;
}

/** RETURN (…) of SEARCH and SORT: RFC 9051 section 6.4.4, RFC 5267, RFC 9394. An empty one means ALL. */
export interface SearchReturn {
  readonly options: readonly ("MIN" | "MAX" | "COUNT" | "ALL" | "SAVE" | "UPDATE" | "CONTEXT")[];
  readonly partial?: PartialRange | undefined;
}

/** A sort criterion: RFC 5256, RFC 5957. */
export interface SortCriterion {
  readonly by: "ARRIVAL" | "CC" | "DATE" | "FROM" | "SIZE" | "SUBJECT" | "TO" | "DISPLAYFROM" | "DISPLAYTO";
  readonly reverse: boolean;
}

/** QRESYNC of SELECT: RFC 7162 section 3.2.5. */
export interface QresyncParameters {
  readonly uidValidity: number;
  readonly modSeq: bigint;
  readonly knownUids?: UidSet | undefined;
  readonly match?: { readonly sequences: SequenceSet; readonly uids: UidSet } | undefined;
}

/** A part of a CATENATE: RFC 4469. */
export type CatenatePart =
  | { readonly url: string }
  | { readonly data: Uint8Array | StreamedLiteral; readonly binary: boolean };

/** A message of APPEND or REPLACE. */
export interface AppendMessage {
  readonly flags: readonly string[];
  readonly date: Date | undefined;
  /** The message, or the parts it is made of. */
  readonly data: Uint8Array | StreamedLiteral | readonly CatenatePart[];
  /** It came as a literal8. */
  readonly binary: boolean;
  /** It came as `UTF8 (~{n})`: its header has UTF-8 in it (RFC 6855 section 4). */
  readonly utf8: boolean;
}

/** One filter of NOTIFY: which mailboxes, which events (RFC 5465). */
export interface NotifyGroup {
  readonly filter:
    | ("selected" | "selected-delayed" | "inboxes" | "personal" | "subscribed")
    | { readonly type: "subtree" | "mailboxes" | "subtree-one"; readonly mailboxes: readonly string[] };
  /** `none`, or the events; MessageNew may ask for FETCH items. */
  readonly events: readonly string[];
  readonly fetch: readonly FetchItem[];
}

/** The arguments of each command, by its name. */
export interface CommandArguments {
  readonly CAPABILITY: object;
  readonly NOOP: object;
  readonly LOGOUT: object;
  readonly STARTTLS: object;
  readonly IDLE: object;
  readonly NAMESPACE: object;
  readonly CHECK: object;
  readonly CLOSE: object;
  readonly UNSELECT: object;
  readonly UNAUTHENTICATE: object;
  readonly COMPRESS: { readonly mechanism: string };
  readonly AUTHENTICATE: { readonly mechanism: string; readonly initialResponse: Secret | undefined };
  readonly LOGIN: { readonly user: string; readonly password: Secret };
  readonly SELECT: SelectArguments;
  readonly EXAMINE: SelectArguments;
  readonly CREATE: { readonly mailbox: string; readonly use: readonly string[] };
  readonly DELETE: { readonly mailbox: string };
  readonly SUBSCRIBE: { readonly mailbox: string };
  readonly UNSUBSCRIBE: { readonly mailbox: string };
  readonly RENAME: { readonly from: string; readonly to: string };
  readonly LIST: ListArguments;
  readonly LSUB: ListArguments;
  readonly STATUS: { readonly mailbox: string; readonly items: readonly string[] };
  readonly APPEND: { readonly mailbox: string; readonly messages: readonly AppendMessage[] };
  readonly REPLACE: { readonly message: number; readonly mailbox: string; readonly by: AppendMessage };
  readonly FETCH: {
    readonly set: SequenceSet;
    readonly items: readonly FetchItem[];
    readonly changedSince: bigint | undefined;
    readonly vanished: boolean;
    readonly partial: PartialRange | undefined;
  };
  readonly STORE: {
    readonly set: SequenceSet;
    readonly unchangedSince: bigint | undefined;
    readonly mode: "add" | "remove" | "replace";
    readonly silent: boolean;
    readonly flags: readonly string[];
    /** `X-GM-LABELS` in place of FLAGS. */
    readonly labels: boolean;
  };
  readonly SEARCH: SearchArguments;
  readonly SORT: SearchArguments & { readonly criteria: readonly SortCriterion[] };
  readonly THREAD: SearchArguments & { readonly algorithm: string };
  readonly COPY: { readonly set: SequenceSet; readonly mailbox: string };
  readonly MOVE: { readonly set: SequenceSet; readonly mailbox: string };
  /** `set` is there for UID EXPUNGE alone. */
  readonly EXPUNGE: { readonly set: SequenceSet | undefined };
  readonly ENABLE: { readonly capabilities: readonly string[] };
  readonly ID: { readonly fields: Readonly<Record<string, string | null>> | null };
  readonly GETQUOTA: { readonly root: string };
  readonly GETQUOTAROOT: { readonly mailbox: string };
  readonly SETQUOTA: { readonly root: string; readonly limits: readonly Omit<QuotaResource, "usage">[] };
  readonly GETACL: { readonly mailbox: string };
  readonly SETACL: {
    readonly mailbox: string;
    readonly identifier: string;
    readonly mode: "add" | "remove" | "replace";
    readonly rights: string;
  };
  readonly DELETEACL: { readonly mailbox: string; readonly identifier: string };
  readonly LISTRIGHTS: { readonly mailbox: string; readonly identifier: string };
  readonly MYRIGHTS: { readonly mailbox: string };
  readonly GETMETADATA: {
    readonly mailbox: string;
    readonly entries: readonly string[];
    readonly maxSize: number | undefined;
    readonly depth: "0" | "1" | "infinity";
  };
  readonly SETMETADATA: {
    readonly mailbox: string;
    readonly entries: readonly { readonly name: string; readonly value: Uint8Array | null }[];
  };
  /** No groups: NOTIFY NONE. */
  readonly NOTIFY: { readonly status: boolean; readonly groups: readonly NotifyGroup[] };
}

/** SELECT and EXAMINE: RFC 9051 section 6.3.2, RFC 7162. */
export interface SelectArguments {
  readonly mailbox: string;
  readonly condStore: boolean;
  readonly qresync: QresyncParameters | undefined;
}

/** LIST and LSUB: RFC 9051 section 6.3.9, RFC 5258, RFC 5819. */
export interface ListArguments {
  readonly reference: string;
  readonly patterns: readonly string[];
  /** `SUBSCRIBED`, `REMOTE`, `RECURSIVEMATCH`, `SPECIAL-USE`. */
  readonly selection: readonly string[];
  /** `SUBSCRIBED`, `CHILDREN`, `SPECIAL-USE`, `MYRIGHTS`; undefined where there was no RETURN. */
  readonly returns: readonly string[] | undefined;
  /** The items of RETURN (STATUS (…)). */
  readonly status: readonly string[] | undefined;
  /** The entries of RETURN (METADATA (…)): RFC 9590. */
  readonly metadata: readonly string[] | undefined;
}

/** SEARCH and what SORT and THREAD share with it. */
export interface SearchArguments {
  readonly charset: string | undefined;
  readonly returns: SearchReturn | undefined;
  readonly key: SearchKey;
}

/** The names of the commands that are parsed. */
export type CommandName = keyof CommandArguments;

/** A command with its arguments. `uid` is whether UID stood before its name. */
export type ImapCommand = {
  readonly [Name in CommandName]: {
    readonly name: Name;
    readonly tag: string;
    readonly uid: boolean;
  } & CommandArguments[Name];
}[CommandName];

/** A command that is not known or cannot be read: BAD, with its tag, or untagged where there was none. */
export interface BadCommand {
  readonly name: "bad";
  readonly tag: string | undefined;
  /** The word that stood where the name should be, in upper case. */
  readonly verb: string;
  readonly known: boolean;
  readonly reason: string;
}
