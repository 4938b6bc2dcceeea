/** AF_UNIX: a path, or an abstract name whose first byte is NUL. */
import { LocalProtocolError } from "../../core/errors.js";
import { AF_UNIX } from "../constants.js";
import { isBytes, show, writeFamily } from "./parts.js";

const SUN_PATH = 2;
const SUN_PATH_BYTES = 108;

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The `struct sockaddr_un` of a name, of its exact length: the kernel tells abstract names apart by it. */
export function encodeUnix(address: unknown): Uint8Array {
  if (typeof address !== "string" && !isBytes(address)) {
    throw new LocalProtocolError(`an AF_UNIX address is a path (string or bytes), not ${show(address)}`);
  }
  const path = typeof address === "string" ? encodeText(address) : address;
  const named = path.length > 0 && path[0] !== 0;
  if (path.length > (named ? SUN_PATH_BYTES - 1 : SUN_PATH_BYTES)) {
    throw new LocalProtocolError(`AF_UNIX path too long: ${path.length} bytes, ${named ? 107 : 108} at most`);
  }
  if (named && path.includes(0)) {
    throw new LocalProtocolError(
      `an AF_UNIX path cannot hold NUL, which would cut it short: ${show(address)}`,
    );
  }
  const bytes = new Uint8Array(SUN_PATH + path.length + (named ? 1 : 0));
  writeFamily(bytes, AF_UNIX);
  bytes.set(path, SUN_PATH);
  return bytes;
}

/** A lone surrogate would become U+FFFD, and so the path of another file. */
function encodeText(path: string): Uint8Array {
  if (/\p{Surrogate}/u.test(path))
    throw new LocalProtocolError(`not a path, a lone surrogate stands in it: ${show(path)}`);
  return utf8.encode(path);
}

/** The name in the first `length` bytes of a `struct sockaddr_un`: text where it is UTF-8, bytes where it is not. */
export function decodeUnix(sockaddr: Uint8Array, length: number): string | Uint8Array {
  const path = sockaddr.subarray(SUN_PATH, Math.min(length, sockaddr.length));
  if (path.length === 0) return "";
  if (path[0] === 0) return path.slice();
  const end = path.indexOf(0);
  const bytes = end < 0 ? path : path.subarray(0, end);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return bytes.slice();
  }
}
