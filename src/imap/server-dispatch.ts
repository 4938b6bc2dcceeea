/** What each command does, in which states, and what may be told with its answer: RFC 9051 section 6. */
import { append, replace } from "./server-append.js";
import { authenticate, type Done, login, unauthenticate } from "./server-auth.js";
import { capability, enable, id, namespace } from "./server-capability.js";
import { copy, expunge, move } from "./server-copy.js";
import { fetch } from "./server-fetch.js";
import { create, deleteMailbox, rename, status, subscribe, unsubscribe } from "./server-folders.js";
import { list, lsub } from "./server-list.js";
import { getMetadata, setMetadata } from "./server-metadata.js";
import { notify } from "./server-notify.js";
import { getQuota, getQuotaRoot, setQuota } from "./server-quota.js";
import { search } from "./server-search.js";
import { close, examine, select, unselect } from "./server-select.js";
import type { Session } from "./server-session.js";
import { sort } from "./server-sort.js";
import { store } from "./server-store.js";
import { thread } from "./server-thread.js";
import type { CommandArguments, CommandName } from "./types-command.js";
import type { ImapState } from "./types-server.js";

/** What a command sees besides its arguments. */
export interface CommandFront {
  readonly tag: string;
  readonly uid: boolean;
}

/** What a command does, and when. */
export interface Verb<Arguments> {
  readonly states: readonly ImapState[];
  /** What is told before the tagged answer: everything, all but expunges, or nothing (RFC 9051 section 7.5.1). */
  readonly tells: "all" | "no expunges" | "nothing";
  /** The capability that it belongs to: refused as unknown where that is not offered. */
  readonly capability?: string;
  run(session: Session, command: Arguments & CommandFront): Promise<Done | void>;
}

const anyState = ["not authenticated", "authenticated", "selected"] as const;
const early = ["not authenticated"] as const;
const late = ["authenticated", "selected"] as const;
const open = ["selected"] as const;

/** The commands that end by themselves are not here: STARTTLS, IDLE, COMPRESS and LOGOUT stand in the server's loop. */
type TableName = Exclude<
  CommandName,
  "STARTTLS" | "IDLE" | "COMPRESS" | "LOGOUT" | "GETACL" | "SETACL" | "DELETEACL" | "LISTRIGHTS" | "MYRIGHTS"
>;

const nothing = async (): Promise<void> => {};

const verbs: { readonly [Name in TableName]: Verb<CommandArguments[Name]> } = {
  CAPABILITY: { states: anyState, tells: "all", run: capability },
  NOOP: { states: anyState, tells: "all", run: nothing },
  ID: { states: anyState, tells: "all", capability: "ID", run: id },
  LOGIN: { states: early, tells: "nothing", run: login },
  AUTHENTICATE: { states: early, tells: "nothing", run: authenticate },
  ENABLE: { states: late, tells: "all", capability: "ENABLE", run: enable },
  UNAUTHENTICATE: { states: late, tells: "nothing", capability: "UNAUTHENTICATE", run: unauthenticate },
  SELECT: { states: late, tells: "nothing", run: select },
  EXAMINE: { states: late, tells: "nothing", run: examine },
  CREATE: { states: late, tells: "all", run: create },
  DELETE: { states: late, tells: "all", run: deleteMailbox },
  RENAME: { states: late, tells: "all", run: rename },
  SUBSCRIBE: { states: late, tells: "all", run: subscribe },
  UNSUBSCRIBE: { states: late, tells: "all", run: unsubscribe },
  LIST: { states: late, tells: "all", run: list },
  LSUB: { states: late, tells: "all", run: lsub },
  NAMESPACE: { states: late, tells: "all", capability: "NAMESPACE", run: namespace },
  STATUS: { states: late, tells: "all", run: status },
  APPEND: { states: late, tells: "all", run: append },
  NOTIFY: { states: late, tells: "all", capability: "NOTIFY", run: notify },
  GETQUOTA: { states: late, tells: "all", capability: "QUOTA", run: getQuota },
  GETQUOTAROOT: { states: late, tells: "all", capability: "QUOTA", run: getQuotaRoot },
  SETQUOTA: { states: late, tells: "all", capability: "QUOTA", run: setQuota },
  GETMETADATA: { states: late, tells: "all", capability: "METADATA", run: getMetadata },
  SETMETADATA: { states: late, tells: "all", capability: "METADATA", run: setMetadata },
  CHECK: { states: open, tells: "all", run: nothing },
  CLOSE: { states: open, tells: "nothing", run: close },
  UNSELECT: { states: open, tells: "nothing", capability: "UNSELECT", run: unselect },
  EXPUNGE: { states: open, tells: "all", run: expunge },
  FETCH: { states: open, tells: "no expunges", run: fetch },
  STORE: { states: open, tells: "no expunges", run: store },
  SEARCH: { states: open, tells: "no expunges", run: search },
  SORT: { states: open, tells: "no expunges", capability: "SORT", run: sort },
  THREAD: { states: open, tells: "no expunges", capability: "THREAD", run: thread },
  COPY: { states: open, tells: "all", run: copy },
  MOVE: { states: open, tells: "all", capability: "MOVE", run: move },
  REPLACE: { states: open, tells: "all", capability: "REPLACE", run: replace },
};

/** What a command is, where there is one of this name and it is offered. */
export function verbOf(name: string): Verb<never> | undefined {
  return Object.hasOwn(verbs, name) ? (verbs[name as TableName] as Verb<never>) : undefined;
}
