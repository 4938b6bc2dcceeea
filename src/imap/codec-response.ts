/** From a frame to a typed response, the second of two steps: RFC 9051 sections 7 and 9 (`response`, `greeting`). */
import { HawserError, RemoteProtocolError } from "../core/errors.js";
import {
  aclResponse,
  idResponse,
  listRightsResponse,
  metadataResponse,
  myRightsResponse,
  quotaResponse,
  quotaRootResponse,
} from "./codec-extensions.js";
import { messageAttributes } from "./codec-fetch.js";
import type { Frame } from "./codec-framer.js";
import { listResponse, mailboxStatusResponse, namespaceResponse } from "./codec-list.js";
import { responseCode } from "./codec-response-code.js";
import { esearchResponse, searchResponse, threadResponse } from "./codec-search-response.js";
import { UidSet } from "./codec-sequence-set.js";
import { type ParseOptions, TokenReader } from "./codec-tokens.js";
import type { ImapResponse, StatusResponse, StatusWord } from "./types-response.js";

/**
 * A response of a server, whole. It throws only for a line that is no response at all; what is wrong inside of one is
 * noted in `defects`, an untagged response that cannot be read is `other`, and a tagged one is `malformed`.
 *
 * @throws {RemoteProtocolError} the line begins with neither `*`, `+` nor a tag.
 */
export function parseResponse(frame: Frame, options: ParseOptions = {}): ImapResponse {
  const r = new TokenReader(frame, options);
  if (r.accept(0x2a) && r.spaces()) return untagged(r);
  r.pos = 0;
  if (r.accept(0x2b)) return continuation(r);
  return tagged(r);
}

/**
 * greeting: an untagged OK, PREAUTH or BYE.
 *
 * @throws {RemoteProtocolError} the server said anything else first.
 */
export function parseGreeting(frame: Frame, options: ParseOptions = {}): StatusResponse {
  const response = parseResponse(frame, options);
  if (
    response.type === "status" &&
    response.tag === undefined &&
    /^(?:OK|PREAUTH|BYE)$/.test(response.status)
  )
    return response;
  throw new RemoteProtocolError("the server did not greet", {
    excerpt: frame.text,
    rfc: "RFC 9051 section 7.1",
  });
}

/** continue-req. seen: servers that send `+` without a space. */
function continuation(r: TokenReader): ImapResponse {
  r.accept(0x20);
  const code = r.byte === 0x5b ? responseCode(r) : undefined;
  return { type: "continuation", code, text: r.remainder(), defects: r.defects };
}

const statusWords: ReadonlySet<string> = new Set<StatusWord>(["OK", "NO", "BAD", "BYE", "PREAUTH"]);

/** response-tagged, or what is left of it: its tag. */
function tagged(r: TokenReader): ImapResponse {
  const tag = /^[!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+(?= |$)/.exec(r.text.toString("latin1", 0, 200))?.[0];
  if (tag === undefined)
    throw new RemoteProtocolError("this is no response", { excerpt: r.text, rfc: "RFC 9051 section 7" });
  r.pos = tag.length;
  r.spaces();
  const word = statusWord(r);
  if (word === "OK" || word === "NO" || word === "BAD") return status(r, tag, word);
  r.defect("a tagged line says neither OK, NO nor BAD");
  return { type: "malformed", tag, raw: r.bytes(Math.min(tag.length + 1, r.end), r.end), defects: r.defects };
}

function statusWord(r: TokenReader): StatusWord | undefined {
  const from = r.pos;
  while (r.byte > 0x20) r.pos += 1;
  const word = r.word(from).toUpperCase();
  if (statusWords.has(word)) return word as StatusWord;
  r.pos = from;
  return undefined;
}

/** resp-text: a code in brackets perhaps, and text. */
function status(r: TokenReader, tag: string | undefined, word: StatusWord): StatusResponse {
  r.accept(0x20);
  const code = r.byte === 0x5b ? responseCode(r) : undefined;
  const text = r.remainder();
  return { type: "status", tag, status: word, code, text, defects: r.defects };
}

function untagged(r: TokenReader): ImapResponse {
  const from = r.pos;
  const isNumber = r.byte >= 0x30 && r.byte <= 0x39;
  try {
    return isNumber ? numbered(r) : named(r);
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    r.defect(error.message);
  }
  r.pos = from;
  return unreadable(r);
}

/** What is known of a response that broke: its name, and a number before it. */
function unreadable(r: TokenReader): ImapResponse {
  const sent = r.text.toString("latin1", r.pos, Math.min(r.end, r.pos + 100));
  const [head = "", digits, name = ""] = /^(?:([0-9]+) +)?([^ ()]*) ?/.exec(sent) ?? [];
  return other(
    r,
    name.toUpperCase(),
    digits === undefined ? undefined : Number(digits),
    Math.min(r.pos + head.length, r.end),
  );
}

function other(r: TokenReader, name: string, number: number | undefined, from: number): ImapResponse {
  return { type: "other", name, number, raw: r.bytes(from, r.end), defects: r.defects };
}

/** message-data and the like: a number, then a word. FETCH first: there are many of them. */
function numbered(r: TokenReader): ImapResponse {
  const number = r.number();
  r.sp();
  if (r.acceptWord("FETCH")) return fetch(r, number);
  if (r.acceptWord("UIDFETCH")) return uidFetch(r, number);
  if (r.acceptWord("EXISTS")) return { type: "exists", count: number, defects: r.defects };
  if (r.acceptWord("EXPUNGE")) return { type: "expunge", sequence: number, defects: r.defects };
  if (r.acceptWord("RECENT")) return { type: "recent", count: number, defects: r.defects };
  const name = r.atom().toUpperCase();
  r.spaces();
  return other(r, name, number, r.pos);
}

function fetch(r: TokenReader, sequence: number): ImapResponse {
  r.sp();
  const attributes = messageAttributes(r);
  return { type: "fetch", sequence, attributes, defects: r.defects };
}

/** uidfetch-resp: RFC 9586 section 3.3. */
function uidFetch(r: TokenReader, uid: number): ImapResponse {
  r.sp();
  const attributes = messageAttributes(r);
  attributes.uid = uid;
  return { type: "fetch", sequence: undefined, attributes, defects: r.defects };
}

function named(r: TokenReader): ImapResponse {
  const word = statusWord(r);
  if (word !== undefined) return status(r, undefined, word);
  const name = r.atom().toUpperCase();
  const read = responses.get(name);
  if (read !== undefined) return read(r);
  r.spaces();
  return other(r, name, undefined, r.pos);
}

const responses: ReadonlyMap<string, (r: TokenReader) => ImapResponse> = new Map<
  string,
  (r: TokenReader) => ImapResponse
>([
  ["CAPABILITY", (r) => capabilities(r, "capability")],
  ["ENABLED", (r) => capabilities(r, "enabled")],
  ["FLAGS", flags],
  ["LIST", (r) => listResponse(r, "list")],
  ["LSUB", (r) => listResponse(r, "lsub")],
  ["XLIST", (r) => listResponse(r, "list")],
  ["STATUS", mailboxStatusResponse],
  ["SEARCH", (r) => searchResponse(r, "search")],
  ["SORT", (r) => searchResponse(r, "sort")],
  ["ESEARCH", esearchResponse],
  ["THREAD", threadResponse],
  ["VANISHED", vanished],
  ["NAMESPACE", namespaceResponse],
  ["ID", idResponse],
  ["QUOTA", quotaResponse],
  ["QUOTAROOT", quotaRootResponse],
  ["ACL", aclResponse],
  ["LISTRIGHTS", listRightsResponse],
  ["MYRIGHTS", myRightsResponse],
  ["METADATA", metadataResponse],
]);

function capabilities(r: TokenReader, type: "capability" | "enabled"): ImapResponse {
  return { type, capabilities: r.rest(() => r.astringChars()), defects: r.defects };
}

function flags(r: TokenReader): ImapResponse {
  r.sp();
  return { type: "flags", flags: r.flagList(), defects: r.defects };
}

/** expunged-resp: `VANISHED (EARLIER) 41,43:116` (RFC 7162 section 3.2.10). */
function vanished(r: TokenReader): ImapResponse {
  r.sp();
  const earlier = r.byte === 0x28;
  if (earlier) r.list(() => r.acceptWord("EARLIER") || r.fail("EARLIER was due"));
  r.spaces();
  return {
    type: "vanished",
    earlier,
    uids: UidSet.parse(r.setText(), r.limits.maxItems),
    defects: r.defects,
  };
}
