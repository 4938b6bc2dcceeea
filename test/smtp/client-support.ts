/** Our client against our server. */
import { SmtpClient, type SmtpClientOptions } from "../../src/smtp/client.js";
import { memoryPair } from "../../src/transport/memory.js";
import type { Transport } from "../../src/transport/types.js";
import { Host } from "./server-support.js";

type HostOptions = ConstructorParameters<typeof Host>[0];

/** Where a check is missing, a test fails within seconds and does not wait for the minutes of the RFCs. */
const soon = { replyMs: 8_000, dataMs: 8_000, finalMs: 8_000, idleMs: 8_000 } as const;

export const envelope = { from: "a@client.test", to: "b@server.test" } as const;
export const message = "Subject: x\r\n\r\nx\r\n";

/** A client of a connection that stands already. */
export async function over(transport: Transport, options: SmtpClientOptions = {}): Promise<SmtpClient> {
  return await SmtpClient.over(transport, { name: "client.test", ...soon, ...options });
}

/** A client and a server joined in memory, until `run` is done. */
export async function paired(
  run: (client: SmtpClient, host: Host) => Promise<void>,
  server: HostOptions = {},
  options: SmtpClientOptions = {},
  fragmentBytes = 65_536,
): Promise<void> {
  await using host = new Host(server);
  const [near, far] = memoryPair({ fragmentBytes });
  host.served.push(host.server.serve(far));
  const client = await over(near, options);
  try {
    await run(client, host);
  } finally {
    await client.close();
  }
}
