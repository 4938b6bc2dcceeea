/** Takes mail for one user and shows the first message. `node mail-server.js PORT` */
import { MemoryMailStore, parseMessage } from "hawser/mail";
import { SmtpServer } from "hawser/smtp";

const [port = "2525"] = process.argv.slice(2);
const store = MemoryMailStore.of({ "alice@example.test": [] });
await using server = await SmtpServer.listen({ port: Number(port), store });
console.log(`waiting for mail on port ${server.port}`);
const { bytes, info } = await store.inbox("alice@example.test").next();
const { subject, text } = await parseMessage(bytes);
console.log(`${info.envelope?.mailFrom}: ${subject}: ${text?.trim()}`);
