/** HTTP CONNECT (RFC 9110 section 9.3.6): the client's half, in the form of HTTP/1.1 (RFC 9112). */
import { isIP } from "node:net";
import type { ByteQueue } from "../../core/byte-queue.js";
import type { Decoder } from "../../core/decoder.js";
import { AuthError, LimitError, LocalProtocolError, RemoteProtocolError } from "../../core/errors.js";
import { reveal, type Secret } from "../../core/secret.js";
import { checkedArgument } from "../../wire/command-line.js";
import type { ByteStream } from "../byte-stream.js";
import { ProxyError } from "./proxy-error.js";
import type { ProxyTarget } from "./types.js";

const maxLineBytes = 8192;
const maxHeadBytes = 65_536;
/** Interim answers (1xx) before the one that counts. */
const maxInterimAnswers = 8;
const decoder: TextDecoder = new TextDecoder();
const encoder: TextEncoder = new TextEncoder();

interface Credentials {
  readonly username: string;
  readonly password: Secret;
}

/** Asks an HTTP proxy for a connection. Everything that is to be sent is checked before the first byte leaves. */
export async function httpConnect(
  stream: ByteStream,
  target: ProxyTarget,
  credentials: Credentials | undefined,
): Promise<void> {
  await stream.write(encoder.encode(formatConnectRequest(target, credentials)));
  const status = await finalStatus(stream);
  const command = `CONNECT ${authority(target)}`;
  if (status >= 200 && status < 300) return;
  if (status === 407) {
    const message = credentials === undefined ? "wants credentials" : "refused the credentials";
    const facts = { reply: status, command, permanent: true, usable: false };
    throw new AuthError(`the HTTP proxy ${message} (407)`, facts);
  }
  // Not the proxy's own words: it may repeat what it was sent, the credentials too.
  throw new ProxyError(`the HTTP proxy answered ${status} (${command})`, status, command, status < 500);
}

async function finalStatus(stream: ByteStream): Promise<number> {
  for (let answers = 0; answers < maxInterimAnswers; answers += 1) {
    const status = await stream.receive(connectReplyDecoder(), { what: "the proxy's answer" });
    if (status >= 200) return status;
  }
  throw new LimitError("the interim answers of a proxy", maxInterimAnswers);
}

/**
 * RFC 9112 section 3.2.3, and RFC 7617 for the credentials.
 *
 * @throws {LocalProtocolError} the host or the credentials hold CR, LF or NUL, or the user name a colon.
 */
export function formatConnectRequest(target: ProxyTarget, credentials?: Credentials): string {
  const at = authority(target);
  const login = credentials === undefined ? "" : `Proxy-Authorization: Basic ${basic(credentials)}\r\n`;
  return `CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n${login}\r\n`;
}

function authority({ host, port }: ProxyTarget): string {
  const checked = checkedArgument(host, "CONNECT");
  return `${isIP(checked) === 6 ? `[${checked}]` : checked}:${port}`;
}

/** RFC 7617 section 2. */
function basic({ username, password }: Credentials): string {
  const user = checkedArgument(username, "the proxy's user name");
  if (user.includes(":")) throw new LocalProtocolError("the proxy's user name holds a colon");
  const pass = checkedArgument(reveal(password), "the proxy's password");
  return Buffer.from(`${user}:${pass}`).toString("base64");
}

/** The status of an answer. Its header fields say nothing of use: after a 2xx the tunnel follows at once. */
export function connectReplyDecoder(): Decoder<number> {
  let status: number | undefined;
  let bytes = 0;
  return (queue: ByteQueue) => {
    for (;;) {
      const before = queue.length;
      const line = queue.takeLine(maxLineBytes);
      if (line === undefined) return undefined;
      bytes += before - queue.length;
      if (bytes > maxHeadBytes) throw new LimitError("the answer of a proxy", maxHeadBytes);
      if (status === undefined) status = parseStatusLine(line);
      else if (line.length === 0) return status;
    }
  };
}

/** RFC 9112 section 4: `HTTP/1.1 200 Connection established`. */
function parseStatusLine(line: Uint8Array): number {
  const match = /^HTTP\/1\.[01] ([1-5]\d\d)(?: .*)?$/s.exec(decoder.decode(line));
  if (match !== null) return Number(match[1]);
  // No excerpt: it may be what was sent, come back.
  throw new RemoteProtocolError("this is no HTTP proxy", { rfc: "RFC 9112 section 4" });
}
