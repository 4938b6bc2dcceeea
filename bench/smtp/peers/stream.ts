/**
 * A large message from a client to a server, twice, in two processes: `stream.js server BYTES`, `stream.js client PORT BYTES`.
 * Each tells by how much its memory grew in the second transfer over what it had after the first. Nobody asks for garbage
 * to be collected: what piles up counts.
 */
import { SmtpClient, SmtpServer } from "../../../src/smtp/index.js";
import { messageOf } from "../../messages.js";
import { numberArgument, play, report } from "../../sockets/peers/peer.js";

const piece = messageOf(65_536);
/** So many pieces go by between two looks at the memory. */
const lookEvery = 16;

/** The largest the process became while looked at. */
class Peak {
  bytes = 0;
  #pieces = 0;

  look(): void {
    this.#pieces += 1;
    if (this.#pieces % lookEvery === 0) this.bytes = Math.max(this.bytes, process.memoryUsage.rss());
  }
}

await play({ server, client });

async function server(): Promise<void> {
  let after = 0;
  const { port } = await SmtpServer.listen({
    port: 0,
    maxMessageBytes: Number.POSITIVE_INFINITY,
    handler: {
      data: async ({ content }) => {
        const peak = new Peak();
        for await (const _ of content) peak.look();
        if (after > 0) report("growth", Math.max(0, peak.bytes - after));
        after = process.memoryUsage.rss();
      },
    },
  });
  report("port", port);
}

async function client(): Promise<void> {
  const [port, bytes] = [numberArgument(1), numberArgument(2)] as const;
  const smtp = await SmtpClient.connect({ host: "127.0.0.1", port, tls: "none" });
  const transfer = async (): Promise<Peak> => {
    const peak = new Peak();
    await smtp.send({ from: "bench@example.org", to: "sink@example.org" }, pieces(bytes, peak));
    return peak;
  };
  await transfer();
  const after = process.memoryUsage.rss();
  const startMs = performance.now();
  const peak = await transfer();
  report("ms", performance.now() - startMs);
  report("growth", Math.max(0, peak.bytes - after));
}

function* pieces(bytes: number, peak: Peak): Generator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += piece.length) {
    peak.look();
    // Memory of its own for each piece, as those of a file have.
    yield piece.slice();
  }
}
