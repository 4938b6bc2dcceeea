/** A large literal, twice: `stream.js stream PORT USER PASSWORD` tells how large each made the process. */
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
  const first = await peakOf(inbox);
  const collected = residentBytes();
  const second = await peakOf(inbox);
  report("growth", Math.max(0, second - first));
  report("uncollected", Math.max(0, second - collected));
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
