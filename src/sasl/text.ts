/** Text in messages of SASL: UTF-8 with nothing malformed in it, of a size that is checked first. */
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import { SaslFailure } from "./failure.js";

/** The longest challenge or response, in bytes: a token of some KiB fits, a flood does not. */
export const maxMessageBytes = 16_384;

export const nothing: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A server's challenge as text. */
export function challengeText(challenge: Uint8Array): string {
  if (challenge.length > maxMessageBytes) throw new LimitError("a SASL challenge", maxMessageBytes);
  const text = decodeText(challenge);
  if (text === undefined) throw new RemoteProtocolError("a SASL challenge that is not UTF-8");
  return text;
}

/** A client's response as text. */
export function responseText(response: Uint8Array): string {
  const text = response.length > maxMessageBytes ? undefined : decodeText(response);
  if (text === undefined) throw new SaslFailure("malformed");
  return text;
}

/** Throws where the text is empty, or has what no mechanism can carry: a NUL, half of a surrogate pair. */
export function checkText(text: string, what: string): void {
  if (text === "") throw new LocalProtocolError(`${what} is empty`);
  if (text.includes("\0")) throw new LocalProtocolError(`${what} has a NUL in it`);
  if (/\p{Cs}/u.test(text)) throw new LocalProtocolError(`${what} has half of a surrogate pair in it`);
}

/** The error for a challenge that a mechanism does not know. */
export function unexpectedChallenge(mechanism: string): RemoteProtocolError {
  return new RemoteProtocolError(`a challenge that ${mechanism} does not have`, {
    rfc: "RFC 4422 section 3",
  });
}

/** The error for a success that came before the exchange was complete. */
export function earlySuccess(mechanism: string): RemoteProtocolError {
  return new RemoteProtocolError(`success before the ${mechanism} exchange was complete`, {
    rfc: "RFC 4422 section 3.6",
  });
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
