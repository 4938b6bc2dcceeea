/** Modified UTF-7, the mailbox names of IMAP4rev1: RFC 3501 section 5.1.3. Strict: each name has one encoding only. */
import { LocalProtocolError, RemoteProtocolError } from "../core/errors.js";

const rfc = "RFC 3501 section 5.1.3";
const shift = /&([^-]*)-/g;
const printable = /^[\x20-\x7e]*$/;
const base64 = /^[A-Za-z0-9+,]+$/;

/**
 * A mailbox name as it stands on the wire before ENABLE IMAP4rev2 or UTF8=ACCEPT.
 *
 * @throws {LocalProtocolError} the name has a lone surrogate, a CR, an LF or a NUL.
 */
export function encodeUtf7(name: string): string {
  checkMailboxName(name);
  if (printable.test(name)) return name.replaceAll("&", "&-");
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === "&" ? "&-" : `&${encodeRun(run)}-`));
}

/** @throws {LocalProtocolError} no mailbox can have this name: a lone surrogate, a CR, an LF or a NUL is in it. */
export function checkMailboxName(name: string): void {
  if (/[\0\r\n]/.test(name)) throw new LocalProtocolError("a mailbox name holds no CR, LF or NUL");
  if (hasLoneSurrogate(name)) throw new LocalProtocolError("a mailbox name holds half a character");
}

/**
 * The name that modified UTF-7 stands for.
 *
 * @throws {RemoteProtocolError} a shift has no end, is not the shortest form, or gives half a character or a control
 * character that no name may have.
 */
export function decodeUtf7(wire: string): string {
  if (!printable.test(wire)) throw broken("a mailbox name has bytes that are not ASCII", wire);
  if (!wire.includes("&")) return wire;
  checkShifts(wire);
  return wire.replace(shift, (_, run: string) => (run === "" ? "&" : decodeRun(run, wire)));
}

/** Every `&` has its `-`, and no two shifts stand side by side that could have been one. */
function checkShifts(wire: string): void {
  const bare = wire.replace(shift, "");
  if (bare.includes("&")) throw broken("a shift has no end", wire);
  if (/&[^-]+-&[^-]/.test(wire)) throw broken("two shifts stand where one would do", wire);
}

function encodeRun(run: string): string {
  const bytes = Buffer.from(run, "utf16le").swap16();
  return bytes.toString("base64").replace(/=+$/, "").replaceAll("/", ",");
}

function decodeRun(run: string, wire: string): string {
  const text = base64.test(run) ? decodeUtf16(run) : undefined;
  // What does not encode back to itself has stray bits, padding, or printable ASCII in it.
  if (text === undefined || encodeRun(text) !== run) throw broken("a shift is not well-formed", wire);
  if (/[\x20-\x7e]/.test(text)) throw broken("a shift holds what needs none", wire);
  if (/[\0\r\n]/.test(text)) throw broken("a mailbox name holds CR, LF or NUL", wire);
  if (hasLoneSurrogate(text)) throw broken("a shift holds half a character", wire);
  return text;
}

function decodeUtf16(run: string): string | undefined {
  const bytes = Buffer.from(run.replaceAll(",", "/"), "base64");
  if (bytes.length === 0 || bytes.length % 2 !== 0) return undefined;
  // A copy: Buffer.from may give a view into a pool, and swap16 writes.
  return Buffer.from(bytes).swap16().toString("utf16le");
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

function broken(message: string, excerpt: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { excerpt, rfc });
}
