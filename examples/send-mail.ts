/** Sends a message and says who took it. `node send-mail.js HOST PORT TO` */
import { compose } from "hawser/mail";
import { SmtpClient } from "hawser/smtp";

const [host = "localhost", port = "2525", to = "alice@example.test"] = process.argv.slice(2);
const message = await compose({ from: "bob@example.test", to, subject: "Grüße", text: "Hello, Alice." });
await using client = await SmtpClient.connect({ host, port: Number(port) });
const { accepted, reply } = await client.send(message.envelope, message);
console.log(`${accepted} (${reply.code})`);
