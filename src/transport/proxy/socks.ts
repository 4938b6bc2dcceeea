/** SOCKS version 5 (RFC 1928), with user name and password (RFC 1929): the client's half. Names go to the proxy. */
import { isIP } from "node:net";
import type { ByteQueue } from "../../core/byte-queue.js";
import { AuthError, LocalProtocolError, RemoteProtocolError } from "../../core/errors.js";
import { reveal, type Secret } from "../../core/secret.js";
import { checkedArgument } from "../../wire/command-line.js";
import type { ByteStream } from "../byte-stream.js";
import { ProxyError } from "./proxy-error.js";
import type { ProxyTarget } from "./types.js";

const version = 5;
/** RFC 1928 section 3. */
const noAuthentication = 0;
const userAndPassword = 2;
const noneAcceptable = 0xff;
/** RFC 1928 section 4 and 5. */
const connect = 1;
const byName = 3;
/** RFC 1929 section 2: the version of the negotiation, which is not that of SOCKS. */
const negotiationVersion = 1;
const maxFieldBytes = 255;
const encoder: TextEncoder = new TextEncoder();

/** What a user of a SOCKS proxy is known by. */
export interface SocksCredentials {
  readonly username: string;
  readonly password: Secret;
}

/** RFC 1928 section 6: what the replies mean, and whether the same request will fail again. */
const replies: ReadonlyMap<number, readonly [meaning: string, permanent: boolean]> = new Map([
  [1, ["general failure", false]],
  [2, ["not allowed by its rules", true]],
  [3, ["network unreachable", false]],
  [4, ["host unreachable", false]],
  [5, ["connection refused", false]],
  [6, ["time to live expired", false]],
  [7, ["command not supported", true]],
  [8, ["address type not supported", true]],
]);

/** Asks a SOCKS proxy for a connection. Everything that is to be sent is checked before the first byte leaves. */
export async function socksConnect(
  stream: ByteStream,
  target: ProxyTarget,
  credentials: SocksCredentials | undefined,
): Promise<void> {
  const request = formatSocksRequest(target);
  const login = credentials === undefined ? undefined : formatSocksLogin(credentials);
  await stream.write(formatSocksGreeting(login !== undefined));
  const method = await stream.receive(socksMethodDecoder, { what: "the proxy's choice of a method" });
  await authenticate(stream, method, login);
  await stream.write(request);
  const reply = await stream.receive(socksReplyDecoder, { what: "the proxy's reply" });
  if (reply !== 0) throw socksError(reply, target);
}

async function authenticate(
  stream: ByteStream,
  method: number,
  login: Uint8Array | undefined,
): Promise<void> {
  if (method === noAuthentication) return;
  if (method === noneAcceptable) throw authError("the SOCKS proxy wants other credentials", method);
  if (method !== userAndPassword || login === undefined)
    throw new RemoteProtocolError(`the SOCKS proxy chose method ${method}, which was not offered`, {
      rfc: "RFC 1928 section 3",
    });
  await stream.write(login);
  const status = await stream.receive(socksLoginDecoder, { what: "the proxy's answer to the credentials" });
  if (status !== 0) throw authError("the SOCKS proxy refused the credentials", status);
}

function authError(message: string, reply: number): AuthError<number> {
  return new AuthError(message, { reply, command: "SOCKS login", permanent: true, usable: false });
}

function socksError(reply: number, { host, port }: ProxyTarget): ProxyError {
  const [meaning, permanent] = replies.get(reply) ?? [`reply ${reply}`, false];
  const command = `CONNECT ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new ProxyError(
    `the SOCKS proxy did not connect: ${meaning} (${command})`,
    reply,
    command,
    permanent,
  );
}

/** RFC 1928 section 3: the version and the methods. */
export function formatSocksGreeting(withLogin: boolean): Uint8Array {
  const methods = withLogin ? [noAuthentication, userAndPassword] : [noAuthentication];
  return Uint8Array.of(version, methods.length, ...methods);
}

/** RFC 1928 section 3: the method that the proxy chose. */
export function socksMethodDecoder(queue: ByteQueue): number | undefined {
  if (queue.length < 2) return undefined;
  const answer = queue.take(2);
  checkByte(answer, version, "RFC 1928 section 3");
  return answer[1];
}

/**
 * RFC 1929 section 2: the user name and password.
 *
 * @throws {LocalProtocolError} one is longer than 255 bytes or holds CR, LF or NUL.
 */
export function formatSocksLogin({ username, password }: SocksCredentials): Uint8Array {
  const user = field(username, "the proxy's user name");
  const pass = field(reveal(password), "the proxy's password");
  return Uint8Array.of(negotiationVersion, user.length, ...user, pass.length, ...pass);
}

/** Only what it is about goes into an error, never the text. */
function field(text: string, what: string): Uint8Array {
  const bytes = encoder.encode(checkedArgument(text, what));
  if (bytes.length <= maxFieldBytes) return bytes;
  throw new LocalProtocolError(`${what} has more than ${maxFieldBytes} bytes`);
}

/** RFC 1929 section 2: 0 where the credentials are good. */
export function socksLoginDecoder(queue: ByteQueue): number | undefined {
  if (queue.length < 2) return undefined;
  const answer = queue.take(2);
  checkByte(answer, negotiationVersion, "RFC 1929 section 2");
  return answer[1];
}

/**
 * RFC 1928 section 4: a connection to an address, or to a name that the proxy looks up.
 *
 * @throws {LocalProtocolError} the name is longer than 255 bytes or holds CR, LF or NUL.
 */
export function formatSocksRequest({ host, port }: ProxyTarget): Uint8Array {
  return Uint8Array.of(version, connect, 0, ...formatAddress(host), port >> 8, port & 0xff);
}

function formatAddress(host: string): Uint8Array {
  const kind = isIP(host);
  if (kind === 4) return Uint8Array.of(1, ...host.split(".").map(Number));
  // A zone means something on this machine alone: such an address goes over as a name, and the proxy says no.
  if (kind === 6 && !host.includes("%")) return Uint8Array.of(4, ...ipv6Bytes(host));
  const name = field(host, "the host");
  return Uint8Array.of(byName, name.length, ...name);
}

/** The 16 bytes of an IPv6 address, of which the URL parser makes groups of hexadecimal digits alone. */
function ipv6Bytes(host: string): number[] {
  const [head = "", tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}

/** RFC 1928 section 6: the reply, 0 where the connection stands. The address that follows tells nothing of use. */
export function socksReplyDecoder(queue: ByteQueue): number | undefined {
  const head = queue.peek(5);
  checkByte(head, version, "RFC 1928 section 6");
  if (head.length < 5) return undefined;
  const [, reply = 0, , type, first = 0] = head;
  const addressBytes = type === 1 ? 4 : type === 4 ? 16 : type === byName ? first + 1 : undefined;
  // What follows a refusal need not be right: the connection is over.
  if (addressBytes === undefined && reply !== 0) return queue.take(5)[1];
  if (addressBytes === undefined)
    throw new RemoteProtocolError("the SOCKS proxy gave an address of an unknown type", {
      excerpt: head,
      rfc: "RFC 1928 section 6",
    });
  if (queue.length < 6 + addressBytes) return undefined;
  return queue.take(6 + addressBytes)[1];
}

function checkByte(answer: Uint8Array, wanted: number, rfc: string): void {
  if (answer.length === 0 || answer[0] === wanted) return;
  throw new RemoteProtocolError("this is no SOCKS proxy of version 5", { excerpt: answer, rfc });
}
