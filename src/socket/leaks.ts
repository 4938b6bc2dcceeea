/** Sockets that are garbage-collected while open: they are closed, with a warning that says where they were made. */
import type { Handle } from "./handle.js";

interface Open {
  readonly handle: Handle;
  readonly made: string;
  /** Holds the stack of the call that made the socket; formatted only if it is ever shown. */
  readonly site: { stack?: string };
}

const registry = new FinalizationRegistry<Open>(({ handle, made, site }) => {
  const { fd } = handle;
  if (fd < 0) return;
  try {
    handle.release();
  } catch {
    // The descriptor was closed behind our back: there is nobody left to tell.
  }
  if (handle.fd >= 0) return;
  process.emitWarning(
    `a socket (descriptor ${fd}, ${made}${caller(site)}) was garbage-collected without close()`,
    {
      type: "ResourceWarning",
      code: "HAWSER_LEAK",
    },
  );
});

const ownFolder = new URL(".", import.meta.url).href;

/** The first frame outside level 1. */
function caller(site: { stack?: string }): string {
  const frames = (site.stack ?? "").split("\n").filter((line) => line.trim().startsWith("at "));
  const frame = frames.find((line) => !line.includes(ownFolder));
  return frame === undefined ? "" : ` ${frame.trim()}`;
}

/** Watches `socket`; `made` says how it came to be: "made", "accepted", "received". */
export function watchForLeak(socket: object, handle: Handle, made: string): void {
  if (handle.fd < 0) return;
  const site: { stack?: string } = {};
  // Eight frames are enough to name the caller outside this package, and a socket stays small.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 8;
  Error.captureStackTrace(site, watchForLeak);
  Error.stackTraceLimit = stackTraceLimit;
  registry.register(socket, { handle, made, site }, socket);
}

/** The socket was closed or given away. */
export function forgetLeak(socket: object): void {
  registry.unregister(socket);
}
