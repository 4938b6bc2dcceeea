/** How a socket shows in logs and in the debugger. */
import * as constants from "./constants.js";
import { describeAddress } from "./sockaddr.js";

/** What {@link inspectSocket} shows. */
interface Shown {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  fileno(): number;
  getsockname(): unknown;
  getpeername(): unknown;
}

/** Names that stand for a number that has a better known one, and flags. */
const passedOver = /^AF_(LOCAL|FILE|ROUTE)$|^SOCK_(NONBLOCK|CLOEXEC|.*_LOCK)$/;

/** `Socket { fd: 18, family: AF_INET, type: SOCK_STREAM, protocol: 0, local: 127.0.0.1:80 }` */
export function inspectSocket(socket: Shown): string {
  const { family, type, protocol } = socket;
  const fd = socket.fileno();
  const identity = `family: ${nameOf("AF_", family)}, type: ${nameOf("SOCK_", type)}, protocol: ${protocol}`;
  if (fd < 0) return `Socket { closed, ${identity} }`;
  const local = addressOf("local", () => socket.getsockname());
  const remote = addressOf("remote", () => socket.getpeername());
  return `Socket { fd: ${fd}, ${identity}${local}${remote} }`;
}

/** The name of a constant, or its number. */
function nameOf(prefix: string, value: number): string {
  const named = Object.entries(constants).find(
    ([name, number]) => number === value && name.startsWith(prefix) && !passedOver.test(name),
  );
  return named?.[0] ?? String(value);
}

function addressOf(label: string, get: () => unknown): string {
  try {
    return `, ${label}: ${describeAddress(get()) || '""'}`;
  } catch {
    return "";
  }
}
