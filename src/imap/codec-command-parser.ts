/** Commands as servers read them: a frame into a tag, a name and typed arguments (RFC 9051 section 9, `command`). */
import { HawserError } from "../core/errors.js";
import { append, replace } from "./codec-append.js";
import * as args from "./codec-arguments.js";
import * as extensions from "./codec-arguments-extensions.js";
import type { Frame } from "./codec-framer.js";
import { type ParseOptions, TokenReader } from "./codec-tokens.js";
import type { BadCommand, CommandArguments, CommandName, ImapCommand } from "./types-command.js";

/** The front of a command, which is known before its literals have come. */
export interface CommandHead {
  /** Undefined where no tag stands: the answer is an untagged BAD. */
  readonly tag: string | undefined;
  /** In upper case, `FETCH` of `UID FETCH`; empty where none stands. */
  readonly name: string;
  readonly uid: boolean;
}

/** The tag and the name of a command, of which the rest may be anything or not there yet. */
export function parseCommandHead(frame: Frame): CommandHead {
  return head(new TokenReader(frame));
}

/**
 * A command with its arguments. It never throws: what cannot be read is a {@link BadCommand}, with what the server needs
 * to answer BAD.
 */
export function parseCommand(frame: Frame, options: ParseOptions = {}): ImapCommand | BadCommand {
  const r = new TokenReader(frame, options);
  const { tag, name, uid } = head(r);
  const read = Object.hasOwn(readers, name) ? readers[name as CommandName] : undefined;
  if (tag === undefined) return bad(tag, name, false, "a command begins with a tag");
  if (read === undefined || (uid && !uidCommands.has(name))) return bad(tag, name, false, "unknown command");
  try {
    const found = read(r, uid);
    return r.done
      ? ({ name, tag, uid, ...found } as ImapCommand)
      : bad(tag, name, true, "too many arguments");
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    // Not the error's message: it holds an excerpt, and that may be a password.
    return bad(tag, name, true, `arguments wrong at octet ${r.pos}`);
  }
}

function bad(tag: string | undefined, verb: string, known: boolean, reason: string): BadCommand {
  return { name: "bad", tag, verb, known, reason };
}

/** A tag is of ASTRING-CHARs without `+`. */
const front =
  /^([!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]{1,200})(?= |$)(?: +(UID +)?([A-Za-z0-9.-]{1,40})(?= |$))?/i;

function head(r: TokenReader): CommandHead {
  const [all = "", tag, uid, name] = front.exec(r.text.toString("latin1", 0, Math.min(r.end, 300))) ?? [];
  r.pos = all.length;
  return { tag, name: (name ?? "").toUpperCase(), uid: uid !== undefined };
}

const uidCommands: ReadonlySet<string> = new Set<CommandName>([
  ...(["FETCH", "STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "EXPUNGE", "REPLACE"] as const),
]);

type Readers = {
  readonly [Name in CommandName]: (r: TokenReader, uid: boolean) => CommandArguments[Name];
};

const nothing = (): object => ({});
const copy = (r: TokenReader) => ({ set: args.set(r), mailbox: args.mailbox(r) });
const oneMailbox = (r: TokenReader) => ({ mailbox: args.mailbox(r) });
const identified = (r: TokenReader) => ({ mailbox: args.mailbox(r), identifier: args.word(r) });

const readers: Readers = {
  CAPABILITY: nothing,
  NOOP: nothing,
  LOGOUT: nothing,
  STARTTLS: nothing,
  IDLE: nothing,
  NAMESPACE: nothing,
  CHECK: nothing,
  CLOSE: nothing,
  UNSELECT: nothing,
  UNAUTHENTICATE: nothing,
  COMPRESS: (r) => ({ mechanism: args.word(r).toUpperCase() }),
  AUTHENTICATE: args.authenticate,
  LOGIN: args.login,
  SELECT: args.select,
  EXAMINE: args.select,
  CREATE: args.create,
  DELETE: oneMailbox,
  SUBSCRIBE: oneMailbox,
  UNSUBSCRIBE: oneMailbox,
  RENAME: (r) => ({ from: args.mailbox(r), to: args.mailbox(r) }),
  LIST: args.list,
  LSUB: args.list,
  STATUS: (r) => ({ mailbox: args.mailbox(r), items: args.statusItems(r) }),
  APPEND: append,
  REPLACE: replace,
  FETCH: args.fetch,
  STORE: args.store,
  SEARCH: args.search,
  SORT: args.sort,
  THREAD: args.thread,
  COPY: copy,
  MOVE: copy,
  EXPUNGE: (r, uid) => ({ set: uid ? args.set(r) : undefined }),
  ENABLE: (r) => ({ capabilities: atLeastOne(r) }),
  ID: args.id,
  GETQUOTA: (r) => ({ root: args.word(r) }),
  GETQUOTAROOT: oneMailbox,
  SETQUOTA: extensions.setQuota,
  GETACL: oneMailbox,
  SETACL: extensions.setAcl,
  DELETEACL: identified,
  LISTRIGHTS: identified,
  MYRIGHTS: oneMailbox,
  GETMETADATA: extensions.getMetadata,
  SETMETADATA: extensions.setMetadata,
  NOTIFY: extensions.notify,
};

function atLeastOne(r: TokenReader): string[] {
  r.sp();
  const words = r.rest(() => r.astringChars().toUpperCase());
  return words.length > 0 ? words : r.fail("an argument was due");
}
