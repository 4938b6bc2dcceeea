/**
 * Servers that discard what they get: `server.js hawser|smtp-server WARM_UP MESSAGES [bsd]`. They tell how long the messages
 * behind the warm-up took, from the last one of it to the last one of all.
 */
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { SmtpServer } from "../../../src/smtp/index.js";
import { bsdProvider } from "../../../src/transport/bsd.js";
import { nodeProvider } from "../../../src/transport/node.js";
import { benchModules } from "../../contenders.js";
import { WorkClock } from "../../peers.js";
import { args, listenNode, numberArgument, play, report } from "../../sockets/peers/peer.js";

const [warmUp, messages] = [numberArgument(1), numberArgument(2)] as const;
const clock = new WorkClock();
let taken = 0;

await play({ hawser, "smtp-server": smtpServer });

async function hawser(): Promise<void> {
  const server = await SmtpServer.listen({
    port: 0,
    provider: args[3] === "bsd" ? bsdProvider : nodeProvider,
    handler: {
      data: async ({ content }) => {
        for await (const _ of content);
        count();
      },
    },
  });
  report("port", server.port);
}

function smtpServer(): void {
  const { SMTPServer } = createRequire(benchModules)("smtp-server") as SmtpServerModule;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    onData: (stream, _session, callback) => {
      stream.on("end", () => {
        count();
        callback();
      });
      stream.resume();
    },
  });
  listenNode(server.server);
}

/** What is used of smtp-server. */
interface SmtpServerModule {
  readonly SMTPServer: new (options: {
    readonly [option: string]: unknown;
    readonly onData: (stream: Readable, session: unknown, callback: () => void) => void;
  }) => { readonly server: import("node:net").Server };
}

function count(): void {
  taken += 1;
  if (taken === warmUp) clock.start();
  if (taken === warmUp + messages) clock.stop();
}
