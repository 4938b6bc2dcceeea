/** User names and passwords in the one form that both sides hash and compare (SASLprep, RFC 4013). */
import { LocalProtocolError } from "../core/errors.js";

/** Longer ones are refused: no real name or password comes near. */
const maxChars = 1024;
/** ASCII without controls, which SASLprep leaves as it is. */
const plainAscii = /^[ -~]+$/;

/**
 * The SASLprep form of a name or password; code points that Unicode 3.2 did not know (emoji) are allowed, as RFC 5802
 * section 2.2 has it for queries. The tables are loaded when the first text that is not ASCII comes.
 *
 * @throws {LocalProtocolError} it is empty, or has characters that RFC 4013 prohibits. It is named `what` there.
 */
export async function prepare(text: string, what: string): Promise<string> {
  const prepared = await tryPrepare(text);
  if (prepared === undefined)
    throw new LocalProtocolError(`${what} is empty, too long, or has characters that SASLprep prohibits`);
  return prepared;
}

/** The SASLprep form, or `undefined` where there is none. */
export async function tryPrepare(text: string): Promise<string | undefined> {
  if (text.length > maxChars) return undefined;
  if (plainAscii.test(text)) return text;
  const { saslprep } = await import("@mongodb-js/saslprep");
  try {
    return saslprep(text, { allowUnassigned: true }) || undefined;
  } catch {
    // Its error says no more than that, and shows no text; a text of nothing but soft hyphens makes it a TypeError.
    return undefined;
  }
}
