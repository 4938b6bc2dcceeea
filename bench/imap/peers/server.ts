/** hawser's server with a full mailbox: `server.js serve MESSAGES`. */
import { ImapServer } from "../../../src/imap/index.js";
import { MemoryMailStore } from "../../../src/mail/index.js";
import { Accounts } from "../../../src/sasl/index.js";
import { numberArgument, play, report } from "../../sockets/peers/peer.js";
import { multipart } from "../message.js";

await play({ serve });

async function serve(): Promise<void> {
  const store = MemoryMailStore.of({ alice: [] });
  for (let number = 1; number <= numberArgument(1); number += 1)
    await store.deliver("alice", { content: multipart(number), flags: ["\\Seen"] });
  const accounts = Accounts.of({ alice: "secret" }, { iterations: 4096 });
  const server = await ImapServer.listen({ port: 0, store, accounts, allowClearTextAuth: true });
  report("pid", process.pid);
  report("port", server.port);
}
