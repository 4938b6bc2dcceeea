/** A large literal, twice: `stream.js stream PORT USER PASSWORD` tells by how much the second grew the process over the first. */
import { ImapClient, type Mailbox } from "../../../src/imap/index.js";
import { residentBytes } from "../../peers.js";
import { args, numberArgument, play, report } from "../../sockets/peers/peer.js";

/** So many pieces go by between two looks at the memory. */
const lookEvery = 16;

await play({ stream });
process.exit();

async function stream(): Promise<void> {
  const [user = "", password = ""] = args.slice(2);
  const auth = { user, password };
  const options = { host: "127.0.0.1", port: numberArgument(1), tls: "none", allowClearText: true } as const;
  const client = await ImapClient.connect({ ...options, auth });
  const inbox = await client.select("INBOX");
  await peakOf(inbox);
  const after = residentBytes();
  const startMs = performance.now();
  const peak = await peakOf(inbox);
  report("ms", performance.now() - startMs);
  report("growth", Math.max(0, peak - after));
}

/** The largest the process became while the message came. */
async function peakOf(inbox: Mailbox): Promise<number> {
  let peak = 0;
  let pieces = 0;
  for await (const { sections } of inbox.fetch(1, ["BODY.PEEK[]"], { as: "stream" })) {
    for await (const _ of sections["BODY.PEEK[]"]) {
      pieces += 1;
      if (pieces % lookEvery === 0) peak = Math.max(peak, process.memoryUsage.rss());
    }
  }
  return peak;
}
