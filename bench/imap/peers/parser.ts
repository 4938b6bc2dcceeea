/** The parse of FETCH ENVELOPE BODYSTRUCTURE alone, as Dovecot sends them, in chunks of 64 KiB: `parser.js parse MESSAGES`. */
import { ByteQueue } from "../../../src/core/byte-queue.js";
import { imapLimits, responseFramer } from "../../../src/imap/codec-framer.js";
import { parseResponse } from "../../../src/imap/codec-response.js";
import { reportWork } from "../../peers.js";
import { numberArgument, play } from "../../sockets/peers/peer.js";

const messages = numberArgument(1);
const chunkBytes = 65_536;
const warmUps = 3;

await play({ parse });
process.exit();

async function parse(): Promise<void> {
  const bytes = Buffer.concat(Array.from({ length: messages }, (_, n) => Buffer.from(response(n + 1))));
  for (let round = 0; round < warmUps; round += 1) parseAll(Buffer.from(bytes));
  await reportWork(async () => parseAll(bytes));
}

/** One message as Dovecot describes a multipart/mixed of an alternative and an attachment. */
function response(n: number): string {
  const address = (name: string) => `(("${name} ${n % 97}" NIL "user${n % 313}" "example${n % 7}.org"))`;
  const from = address("Person Number");
  const text = (subtype: string, octets: number) =>
    `("text" "${subtype}" ("charset" "utf-8") NIL NIL "quoted-printable" ${octets} ${octets >> 5} NIL NIL NIL NIL)`;
  const file = `("application" "pdf" ("name" "report-${n}.pdf") NIL NIL "base64" ${4000 + (n % 999)} NIL ("attachment" ("filename" "report-${n}.pdf")) NIL NIL)`;
  const structure = `((${text("plain", 800)}${text("html", 1900)} "alternative" ("boundary" "=_inner_${n}") NIL NIL NIL)${file} "mixed" ("boundary" "=_outer_${n}") NIL NIL NIL)`;
  const envelope = `("Mon, 7 Feb 2022 21:52:25 -0800 (PST)" "Subject of message ${n} about a thing" ${from} ${from} ${from} ${address("Recipient")} NIL NIL NIL "<B27397-0100000.${n}@example.org>")`;
  return `* ${n} FETCH (ENVELOPE ${envelope} BODYSTRUCTURE ${structure})\r\n`;
}

function parseAll(bytes: Buffer): void {
  const framer = responseFramer();
  const queue = new ByteQueue();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    queue.push(bytes.subarray(at, at + chunkBytes));
    for (let event = framer.next(queue, imapLimits); event; event = framer.next(queue, imapLimits)) {
      if (event.type !== "frame") throw new Error("no literal was due");
      const { type, defects } = parseResponse(event.frame);
      if (type !== "fetch" || defects.length > 0) throw new Error(`${type} ${defects}`);
    }
  }
}
