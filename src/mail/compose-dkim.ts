/** DKIM signatures: what is checked before the signer gets it. RFC 6376, RFC 8301. */
import { createPrivateKey, KeyObject } from "node:crypto";
import { domainToASCII } from "node:url";
import { LocalProtocolError } from "../core/errors.js";
import { reveal } from "../core/secret.js";
import { checkToken } from "./compose-check.js";
import type { DkimOptions } from "./compose-types.js";
import { checkHeaderName } from "./headers-format.js";

/** What the signer takes. */
export interface DkimSignerOptions {
  readonly domainName: string;
  readonly keySelector: string;
  readonly privateKey: KeyObject;
  readonly headerFieldNames?: string | undefined;
}

/** RFC 8301 section 3.2: verifiers must not take shorter keys. */
const minKeyBits = 1024;

/** The options of every signature, checked; throws a `LocalProtocolError` for what would give none, or a bad one. */
export function dkimSigners(
  dkim: DkimOptions | readonly DkimOptions[] | undefined,
): readonly DkimSignerOptions[] {
  return (dkim === undefined ? [] : isList(dkim) ? dkim : [dkim]).map(signerOf);
}

function isList(dkim: DkimOptions | readonly DkimOptions[]): dkim is readonly DkimOptions[] {
  return Array.isArray(dkim);
}

function signerOf({ domain, selector, privateKey, headerFields }: DkimOptions): DkimSignerOptions {
  const domainName = checkToken(
    domainToASCII(checkToken(domain.normalize(), "DKIM's domain", true)),
    "DKIM's domain",
  );
  for (const name of headerFields ?? []) checkHeaderName(name);
  if (headerFields !== undefined && !headerFields.some((name) => name.toLowerCase() === "from"))
    throw new LocalProtocolError("a DKIM signature must cover From (RFC 6376 section 5.4)");
  return {
    ...{ domainName, keySelector: checkToken(selector, "DKIM's selector") },
    ...{ privateKey: rsaKey(privateKey), headerFieldNames: headerFields?.join(":") },
  };
}

/** The signer makes `rsa-sha256` only, and leaves a message unsigned with any other key. */
function rsaKey(key: DkimOptions["privateKey"]): KeyObject {
  const object = key instanceof KeyObject ? key : parseKey(reveal(key));
  const bits = object.asymmetricKeyDetails?.modulusLength ?? 0;
  if (object.type === "private" && object.asymmetricKeyType === "rsa" && bits >= minKeyBits) return object;
  throw new LocalProtocolError(`DKIM needs a private RSA key of at least ${minKeyBits} bits`);
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without its cause: nothing of a key belongs into an error.
    throw new LocalProtocolError("DKIM's private key cannot be read");
  }
}
