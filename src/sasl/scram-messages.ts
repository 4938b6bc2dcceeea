/** The messages of SCRAM (RFC 5802 section 7), read and written. A malformed one reads as `undefined`. */
import { decodeBase64 } from "./base64.js";

/** `n,a=authzid,` and what it says about channel binding. */
export interface Gs2Header {
  /** The text, up to and with its second comma. */
  readonly text: string;
  /** `n`: the client has none; `y`: it has, and believes that the server has not; else the name of the binding it uses. */
  readonly binding: string;
  readonly authzid: string;
}

/** The client's first message. */
export interface ClientFirst {
  readonly header: Gs2Header;
  /** The message behind the header. */
  readonly bare: string;
  readonly user: string;
  readonly nonce: string;
}

/** The server's first message. */
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** The client's final message. */
export interface ClientFinal {
  /** The message before `,p=`. */
  readonly withoutProof: string;
  readonly binding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
}

const printable = /^[!-+\--~]+$/;
const bindingFlag = /^(?:(?<none>[ny])|p=(?<name>[A-Za-z0-9.-]+))$/;
const count = /^[1-9]\d{0,9}$/;

/** A name with its commas and equals signs written as `=2C` and `=3D`. */
export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** The inverse of {@link escapeName}; any other use of `=` is malformed. */
export function unescapeName(text: string): string | undefined {
  if (text === "" || text.includes("\0") || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

/** The header of a client's first message. */
export function formatGs2Header(binding: string, authzid: string): string {
  const flag = binding === "n" || binding === "y" ? binding : `p=${binding}`;
  return `${flag},${authzid === "" ? "" : `a=${escapeName(authzid)}`},`;
}

/** Reads the header at the front of a message. */
export function parseGs2Header(text: string): Gs2Header | undefined {
  const flagEnd = text.indexOf(",");
  const end = text.indexOf(",", flagEnd + 1);
  if (flagEnd < 0 || end < 0) return undefined;
  const flag = bindingFlag.exec(text.slice(0, flagEnd))?.groups;
  const binding = flag?.["none"] ?? flag?.["name"];
  const authzid = authzidOf(text.slice(flagEnd + 1, end));
  if (binding === undefined || authzid === undefined) return undefined;
  return { text: text.slice(0, end + 1), binding, authzid };
}

/** Reads a client's first message. */
export function parseClientFirst(text: string): ClientFirst | undefined {
  const header = parseGs2Header(text);
  if (header === undefined) return undefined;
  const bare = text.slice(header.text.length);
  // An extension that must be understood (`m=`) would stand first, and so is refused here.
  const [name, nonceText] = bare.split(",");
  const user = unescapeName(attribute(name, "n") ?? "");
  const nonce = nonceOf(nonceText);
  if (user === undefined || nonce === undefined) return undefined;
  return { header, bare, user, nonce };
}

/** Reads a server's first message. */
export function parseServerFirst(text: string): ServerFirst | undefined {
  const [nonceText, saltText, countText] = text.split(",");
  const nonce = nonceOf(nonceText);
  const salt = bytesOf(attribute(saltText, "s"));
  const iterations = attribute(countText, "i") ?? "";
  if (nonce === undefined || salt === undefined || !count.test(iterations)) return undefined;
  return { nonce, salt, iterations: Number(iterations) };
}

/** Reads a client's final message. */
export function parseClientFinal(text: string): ClientFinal | undefined {
  const withoutProof = text.slice(0, Math.max(0, text.lastIndexOf(",")));
  const [bindingText, nonceText] = withoutProof.split(",");
  const binding = bytesOf(attribute(bindingText, "c"));
  const nonce = nonceOf(nonceText);
  const proof = bytesOf(attribute(text.slice(withoutProof.length + 1), "p"));
  if (binding === undefined || nonce === undefined || proof === undefined) return undefined;
  return { withoutProof, binding, nonce, proof };
}

/** Reads a server's final message: its signature, or the name of the error in its place. */
export function parseServerFinal(
  text: string,
): { readonly signature: Uint8Array } | { readonly error: string } | undefined {
  const [first] = text.split(",");
  const error = attribute(first, "e");
  if (error !== undefined) return { error };
  const signature = bytesOf(attribute(first, "v"));
  return signature === undefined ? undefined : { signature };
}

function authzidOf(text: string): string | undefined {
  if (text === "") return "";
  return unescapeName(attribute(text, "a") ?? "");
}

function nonceOf(text: string | undefined): string | undefined {
  const nonce = attribute(text, "r");
  return nonce !== undefined && printable.test(nonce) ? nonce : undefined;
}

/** The value of `name=value`, where that is what the text is. */
function attribute(text: string | undefined, name: string): string | undefined {
  return text?.startsWith(`${name}=`) ? text.slice(2) : undefined;
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    return decodeBase64(text);
  } catch {
    return undefined;
  }
}
