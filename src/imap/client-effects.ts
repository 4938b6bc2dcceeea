/**
 * Which commands may be under way together: RFC 9051 section 5.5. A command says what it looks at and what it changes;
 * two that could tell each other's results apart by their order never overlap.
 */

/** What there is to be looked at or changed, as bits. */
export const Touched = {
  /** The flags of messages in the selected mailbox. */
  flags: 1,
  /** Which messages are in the selected mailbox. */
  messages: 2,
  /** What is in mailboxes by their names. */
  contents: 4,
  /** Which mailboxes there are, and which are subscribed to. */
  names: 8,
  /** The saved search result, `$`. */
  saved: 16,
  /** Access rights, quotas, annotations. */
  settings: 32,
} as const;

/** What one command does. */
export interface Effects {
  /** It waits for an empty line, and everything else waits for it: it changes the state of the connection. */
  readonly alone?: boolean;
  readonly reads?: number;
  readonly writes?: number;
  /** Adds to something; two that add do not disturb each other. */
  readonly adds?: number;
  /** Its arguments have message sequence numbers. */
  readonly bySequence?: boolean;
  /** The server may not send EXPUNGE meanwhile: FETCH, STORE and SEARCH by sequence numbers (RFC 9051 section 7.5.1). */
  readonly keepsSequence?: boolean;
}

const { flags, messages, contents, names, saved, settings } = Touched;

/** The commands by their names. FETCH and SEARCH are adjusted by {@link effectsOf}. One that is not here is alone. */
const table: Readonly<Record<string, Effects>> = {
  __proto__: null as never,
  CAPABILITY: {},
  NOOP: {},
  CHECK: {},
  ID: {},
  NAMESPACE: {},
  FETCH: { reads: messages },
  STORE: { reads: messages, writes: flags },
  SEARCH: { reads: flags | messages },
  SORT: { reads: flags | messages },
  THREAD: { reads: flags | messages },
  COPY: { reads: flags | messages | names, adds: contents },
  MOVE: { reads: flags | names, writes: messages, adds: contents },
  EXPUNGE: { reads: flags, writes: messages },
  REPLACE: { reads: names, writes: messages, adds: contents },
  APPEND: { reads: names, adds: contents },
  STATUS: { reads: contents | names },
  LIST: { reads: names | contents },
  LSUB: { reads: names },
  CREATE: { writes: names | contents },
  DELETE: { writes: names | contents },
  RENAME: { writes: names | contents },
  SUBSCRIBE: { writes: names },
  UNSUBSCRIBE: { writes: names },
  GETQUOTA: { reads: settings },
  GETQUOTAROOT: { reads: settings },
  SETQUOTA: { writes: settings },
  GETACL: { reads: settings },
  MYRIGHTS: { reads: settings },
  LISTRIGHTS: { reads: settings },
  SETACL: { writes: settings },
  DELETEACL: { writes: settings },
  GETMETADATA: { reads: settings },
  SETMETADATA: { writes: settings },
};

const byMessage = /^(?:FETCH|STORE|SEARCH|SORT|THREAD|COPY|MOVE|REPLACE)$/;
const keepsSequence = /^(?:FETCH|STORE|SEARCH|SORT|THREAD)$/;

/** What is known of a command beyond its name. */
export interface EffectDetails {
  /** `UID` stands before its name. */
  readonly uid?: boolean;
  /** FETCH: FLAGS or MODSEQ are among the items. */
  readonly readsFlags?: boolean;
  /** FETCH: a section is asked for without PEEK, which sets \Seen. */
  readonly setsSeen?: boolean;
  /** `$` is an argument. */
  readonly readsSaved?: boolean;
  /** SEARCH RETURN (SAVE). */
  readonly saves?: boolean;
  /** A UID SEARCH that holds sequence numbers all the same. */
  readonly bySequence?: boolean;
}

/** What a command does: by its name, and by what is known of its arguments. */
export function effectsOf(name: string, details: EffectDetails = {}): Effects {
  const base = table[name];
  if (base === undefined) return { alone: true };
  const uid = details.uid === true;
  return {
    reads:
      (base.reads ?? 0) |
      (details.readsFlags === true ? flags : 0) |
      (details.readsSaved === true ? saved : 0),
    writes:
      (base.writes ?? 0) | (details.setsSeen === true ? flags : 0) | (details.saves === true ? saved : 0),
    adds: base.adds ?? 0,
    bySequence: details.bySequence === true || (!uid && byMessage.test(name)),
    keepsSequence: !uid && keepsSequence.test(name),
  };
}

/** Whether the second may be sent while the first is under way. */
export function mayOverlap(first: Effects, second: Effects): boolean {
  if (first.alone === true || second.alone === true) return false;
  if (second.bySequence === true && first.keepsSequence !== true) return false;
  return !disturbs(first, second) && !disturbs(second, first);
}

function disturbs(one: Effects, other: Effects): boolean {
  const looked = (other.reads ?? 0) | (other.writes ?? 0);
  const changed = (one.writes ?? 0) | (one.adds ?? 0);
  return (changed & looked) !== 0 || ((one.writes ?? 0) & (other.adds ?? 0)) !== 0;
}
