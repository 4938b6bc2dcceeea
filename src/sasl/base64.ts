/** Base64 as the profiles of SASL carry it (RFC 4648 section 4). */
import { RemoteProtocolError } from "../core/errors.js";

/** The bytes as base64, with padding and without line ends. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/**
 * The bytes that a peer's base64 stands for. Only the one canonical form is taken: the padding is there, the bits below
 * it are zero, and no other character stands between.
 *
 * @throws {RemoteProtocolError} it is not base64. The text is not shown, for it may hold a password.
 */
export function decodeBase64(text: string | Uint8Array): Uint8Array {
  const asText = typeof text === "string" ? text : Buffer.from(text).toString("latin1");
  const bytes = Buffer.from(asText, "base64");
  if (bytes.toString("base64") !== asText)
    throw new RemoteProtocolError("not base64", { rfc: "RFC 4648 section 4" });
  return new Uint8Array(bytes);
}

/** How many characters the base64 of so many bytes has. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}
