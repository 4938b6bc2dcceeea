/** Clients that are connected and do nothing: `idle.js server`, `idle.js client PORT COUNT`. */
import { SmtpClient, SmtpServer } from "../../../src/smtp/index.js";
import { residentBytes } from "../../peers.js";
import { numberArgument, play, report } from "../../sockets/peers/peer.js";

await play({ server, client });

async function server(): Promise<void> {
  const count = numberArgument(1);
  const smtp = await SmtpServer.listen({ port: 0, handler: { data: () => {}, vrfy: told } });
  const before = residentBytes();
  report("port", smtp.port);

  /** The last client asks when all are connected. */
  function told(): undefined {
    if (smtp.connections === count) report("grown", Math.max(0, residentBytes() - before));
  }
}

async function client(): Promise<void> {
  const [port, count] = [numberArgument(1), numberArgument(2)] as const;
  const connect = () => SmtpClient.connect({ host: "127.0.0.1", port, tls: "none" });
  await (await connect()).quit();
  const before = residentBytes();
  const clients = await Promise.all(Array.from({ length: count }, connect));
  report("grown", Math.max(0, residentBytes() - before));
  await clients.at(-1)?.vrfy("anybody");
  // The others stay referenced, and connected, until the bench has heard of the server.
  setInterval(() => clients.length, 1000);
}
