/** What a server says, as plain data: RFC 9051 section 7. */
import type { SequenceSet, UidSet } from "./codec-sequence-set.js";
import type { FetchAttributes } from "./types-message.js";

/** The word that begins a status response: RFC 9051 section 7.1. */
export type StatusWord = "OK" | "NO" | "BAD" | "BYE" | "PREAUTH";

/** Response codes that carry no data: RFC 9051 section 7.1, RFC 5530, RFC 7162, RFC 4469 and others. */
export type PlainCode =
  | ("ALERT" | "PARSE" | "READ-ONLY" | "READ-WRITE" | "TRYCREATE" | "UIDNOTSTICKY" | "CLOSED" | "NOTSAVED")
  | ("UNAVAILABLE" | "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" | "PRIVACYREQUIRED")
  | ("CONTACTADMIN" | "NOPERM" | "INUSE" | "EXPUNGEISSUED" | "CORRUPTION" | "SERVERBUG" | "CLIENTBUG")
  | ("CANNOT" | "LIMIT" | "OVERQUOTA" | "ALREADYEXISTS" | "NONEXISTENT" | "HASCHILDREN" | "UNKNOWN-CTE")
  | ("NOMODSEQ" | "TOOBIG" | "COMPRESSIONACTIVE" | "USEATTR" | "UIDREQUIRED" | "NOTIFICATIONOVERFLOW")
  | ("BADCOMPARATOR" | "TEMPFAIL" | "MAXCONVERTMESSAGES" | "ANNOTATE");

/** A resp-text-code in brackets. A name that is not known, or data that cannot be read, comes as `other`. */
export type ResponseCode =
  | { readonly name: PlainCode }
  | { readonly name: "CAPABILITY"; readonly capabilities: readonly string[] }
  | { readonly name: "PERMANENTFLAGS"; readonly flags: readonly string[] }
  | { readonly name: "UIDNEXT" | "UIDVALIDITY" | "UNSEEN" | "APPENDLIMIT"; readonly value: number }
  | { readonly name: "MESSAGELIMIT"; readonly value: number; readonly lowestUid: number | undefined }
  | { readonly name: "BADCHARSET"; readonly charsets: readonly string[] }
  | { readonly name: "BADEVENT"; readonly events: readonly string[] }
  | { readonly name: "APPENDUID"; readonly uidValidity: number; readonly uids: UidSet }
  | {
      readonly name: "COPYUID";
      readonly uidValidity: number;
      readonly source: UidSet;
      readonly destination: UidSet;
    }
  | { readonly name: "HIGHESTMODSEQ"; readonly modSeq: bigint }
  | { readonly name: "MODIFIED"; readonly set: SequenceSet }
  | {
      readonly name: "METADATA";
      readonly detail: "LONGENTRIES" | "MAXSIZE" | "TOOMANY" | "NOPRIVATE";
      readonly value: number | undefined;
    }
  | { readonly name: "BADURL" | "REFERRAL" | "UNDEFINED-FILTER" | "NOUPDATE"; readonly value: string }
  | { readonly name: "MAILBOXID"; readonly id: string }
  | {
      readonly name: "INPROGRESS";
      readonly tag: string | null;
      readonly current: number | null;
      readonly goal: number | null;
    }
  | { readonly name: "other"; readonly label: string; readonly text: string };

/** What all responses carry: the faults that were found in this one and got over. Empty nearly always. */
export interface Flawed {
  readonly defects: readonly string[];
}

/** OK, NO, BAD, BYE, PREAUTH: tagged when it ends a command. */
export interface StatusResponse extends Flawed {
  readonly type: "status";
  readonly tag: string | undefined;
  readonly status: StatusWord;
  readonly code: ResponseCode | undefined;
  readonly text: string;
}

/** `+`: the server waits for the rest of a command. */
export interface ContinuationResponse extends Flawed {
  readonly type: "continuation";
  readonly code: ResponseCode | undefined;
  /** The text, or the base64 of a SASL challenge. */
  readonly text: string;
}

/** A line that begins with a tag and cannot be read otherwise: that command has failed. */
export interface MalformedResponse extends Flawed {
  readonly type: "malformed";
  readonly tag: string;
  readonly raw: Uint8Array;
}

/** An untagged response that hawser does not know or could not read. */
export interface OtherResponse extends Flawed {
  readonly type: "other";
  /** In upper case. */
  readonly name: string;
  /** The number before the name, where there is one. */
  readonly number: number | undefined;
  /** What follows the name, as sent. */
  readonly raw: Uint8Array;
}

/** A mailbox name as text, and as sent where the text would not lead back to it. */
export interface MailboxNamed {
  readonly mailbox: string;
  readonly rawMailbox?: Uint8Array;
}

/** LIST, or LSUB of IMAP4rev1: RFC 9051 section 7.3.1, RFC 5258. */
export interface ListResponse extends Flawed, MailboxNamed {
  readonly type: "list" | "lsub";
  /** As sent, `\HasNoChildren`, with the well-known ones in their usual spelling. */
  readonly attributes: readonly string[];
  readonly delimiter: string | null;
  /** CHILDINFO: the selection options that children match (RFC 5258 section 3.5). */
  readonly childInfo?: readonly string[];
  /** OLDNAME: the name before a RENAME or a normalization (RFC 9051 section 6.3.9.7). */
  readonly oldName?: string;
  /** Other extended data items, as sent. */
  readonly extended?: readonly { readonly tag: string; readonly raw: Uint8Array }[];
}

/** The items of STATUS: RFC 9051 section 6.3.11, RFC 7162, RFC 7889, RFC 8438, RFC 8474. */
export interface MailboxStatus {
  messages?: number;
  recent?: number;
  uidNext?: number;
  uidValidity?: number;
  unseen?: number;
  deleted?: number;
  /** In octets. */
  size?: number;
  highestModSeq?: bigint;
  mailboxId?: string;
  /** In octets; null where there is no limit. */
  appendLimit?: number | null;
  /** DELETED-STORAGE: RFC 9208. */
  deletedStorage?: number;
}

/** STATUS. */
export interface MailboxStatusResponse extends Flawed, MailboxNamed {
  readonly type: "mailbox-status";
  readonly status: MailboxStatus;
}

/** SEARCH of IMAP4rev1: RFC 3501 section 7.2.5, RFC 7162 section 3.1.5. */
export interface SearchResponse extends Flawed {
  readonly type: "search";
  readonly ids: readonly number[];
  readonly modSeq: bigint | undefined;
}

/** SORT: RFC 5256. The order is the answer. */
export interface SortResponse extends Flawed {
  readonly type: "sort";
  readonly ids: readonly number[];
  readonly modSeq: bigint | undefined;
}

/** The result options of ESEARCH: RFC 9051 section 7.3.4, RFC 7162, RFC 9394. */
export interface EsearchData {
  min?: number;
  max?: number;
  count?: number;
  all?: SequenceSet;
  modSeq?: bigint;
  /** The range that was asked for, as sent, and what is in it; null for nothing. */
  partial?: { readonly range: string; readonly ids: SequenceSet | null };
}

/** ESEARCH. */
export interface EsearchResponse extends Flawed {
  readonly type: "esearch";
  /** The tag of the command that it answers. */
  readonly tag: string | undefined;
  readonly uid: boolean;
  readonly data: EsearchData;
}

/** A message of a thread and the answers to it; `id` is undefined where the message is not there: RFC 5256. */
export interface Thread {
  readonly id: number | undefined;
  readonly children: readonly Thread[];
}

/** THREAD. */
export interface ThreadResponse extends Flawed {
  readonly type: "thread";
  readonly threads: readonly Thread[];
}

/** FETCH, or UIDFETCH of RFC 9586. */
export interface FetchResponse extends Flawed {
  readonly type: "fetch";
  /** The message's sequence number; undefined in a UIDFETCH. */
  readonly sequence: number | undefined;
  readonly attributes: FetchAttributes;
}

/** One namespace: RFC 2342. */
export interface Namespace {
  readonly prefix: string;
  readonly delimiter: string | null;
}

/** NAMESPACE. */
export interface NamespaceResponse extends Flawed {
  readonly type: "namespace";
  readonly personal: readonly Namespace[];
  readonly otherUsers: readonly Namespace[];
  readonly shared: readonly Namespace[];
}

/** One resource of a quota root: RFC 9208. */
export interface QuotaResource {
  /** In upper case: STORAGE (in units of 1024 octets), MESSAGE, MAILBOX, ANNOTATION-STORAGE. */
  readonly name: string;
  readonly usage: bigint;
  readonly limit: bigint;
}

/** Who may do what in a mailbox: RFC 4314. */
export interface AclEntry {
  readonly identifier: string;
  readonly rights: string;
}

/** METADATA: values, or only the names of entries that have changed (RFC 5464). */
export interface MetadataResponse extends Flawed, MailboxNamed {
  readonly type: "metadata";
  readonly entries: readonly { readonly name: string; readonly value: Uint8Array | null | undefined }[];
}

/** Everything that a server may say. */
export type ImapResponse =
  | StatusResponse
  | ContinuationResponse
  | MalformedResponse
  | OtherResponse
  | ListResponse
  | MailboxStatusResponse
  | SearchResponse
  | SortResponse
  | EsearchResponse
  | ThreadResponse
  | FetchResponse
  | NamespaceResponse
  | MetadataResponse
  | (Flawed & { readonly type: "capability" | "enabled"; readonly capabilities: readonly string[] })
  | (Flawed & { readonly type: "flags"; readonly flags: readonly string[] })
  | (Flawed & { readonly type: "exists" | "recent"; readonly count: number })
  | (Flawed & { readonly type: "expunge"; readonly sequence: number })
  | (Flawed & { readonly type: "vanished"; readonly earlier: boolean; readonly uids: UidSet })
  | (Flawed & { readonly type: "id"; readonly fields: Readonly<Record<string, string | null>> | null })
  | (Flawed & { readonly type: "quota"; readonly root: string; readonly resources: readonly QuotaResource[] })
  | (Flawed & MailboxNamed & { readonly type: "quota-root"; readonly roots: readonly string[] })
  | (Flawed & MailboxNamed & { readonly type: "acl"; readonly entries: readonly AclEntry[] })
  | (Flawed &
      MailboxNamed & {
        readonly type: "list-rights";
        readonly identifier: string;
        readonly required: string;
        readonly optional: readonly string[];
      })
  | (Flawed & MailboxNamed & { readonly type: "my-rights"; readonly rights: string });
