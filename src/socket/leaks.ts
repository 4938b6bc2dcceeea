/** Sockets that are garbage-collected while open: they are closed, with a warning that says where they were made. */
import type { Handle } from "./handle.js";

interface Open {
  readonly handle: Handle;
  readonly made: string;
  /** The stack of the call that made the socket. */
  readonly stack: string;
}

const registry = new FinalizationRegistry<Open>(({ handle, made, stack }) => {
  const { fd } = handle;
  if (fd < 0) return;
  try {
    handle.release();
  } catch {
    // The descriptor was closed behind our back: there is nobody left to tell.
  }
  if (handle.fd >= 0) return;
  process.emitWarning(
    `a socket (descriptor ${fd}, ${made}${caller(stack)}) was garbage-collected without close()`,
    {
      type: "ResourceWarning",
      code: "HAWSER_LEAK",
    },
  );
});

const ownFolder = new URL(".", import.meta.url).href;

/** The first frame outside level 1: none for a socket that the event loop accepted. */
function caller(stack: string): string {
  const frames = stack.split("\n").filter((line) => line.trim().startsWith("at "));
  const frame = frames.find((line) => !line.includes(ownFolder) && !/\bnode:/.test(line));
  return frame === undefined ? "" : ` ${frame.trim()}`;
}

/** Watches `socket`; `made` says how it came to be: "made", "accepted", "received". */
export function watchForLeak(socket: object, handle: Handle, made: string): void {
  if (handle.fd < 0) return;
  const site: { stack?: unknown } = {};
  // Twelve frames reach the caller outside this package, and a socket stays small.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 12;
  // The constructors of the classes that a socket is made of are ten frames of their own.
  Error.captureStackTrace(site, socket.constructor);
  Error.stackTraceLimit = stackTraceLimit;
  // Formatted at once: raw frames keep the objects alive whose methods they are, and those may hold the socket.
  const stack = String(site.stack);
  if (stack !== lastStack) lastStack = stack;
  registry.register(socket, { handle, made, stack: lastStack }, socket);
}

/** The sockets of a loop share one text. */
let lastStack = "";

/** The socket was closed or given away. */
export function forgetLeak(socket: object): void {
  registry.unregister(socket);
}
