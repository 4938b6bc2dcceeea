/**
 * How long the parse of FETCH ENVELOPE BODYSTRUCTURE takes: 10,000 messages, some 7 MB, as Dovecot sends them.
 * `parse.js ROUNDS` tells the bench the CPU time of the median round.
 */
import { ByteQueue } from "../../../src/core/byte-queue.js";
import { imapLimits, responseFramer } from "../../../src/imap/codec-framer.js";
import { parseResponse } from "../../../src/imap/codec-response.js";
import { median } from "../../figures.js";
import { numberArgument, report } from "../../sockets/peers/peer.js";

const messages = 10_000;
const chunkBytes = 65_536;
const rounds = numberArgument(0);

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

function input(): Buffer {
  return Buffer.concat(Array.from({ length: messages }, (_, n) => Buffer.from(response(n + 1))));
}

function round(bytes: Buffer): number {
  const framer = responseFramer();
  const queue = new ByteQueue();
  let parsed = 0;
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    queue.push(bytes.subarray(at, at + chunkBytes));
    for (let event = framer.next(queue, imapLimits); event; event = framer.next(queue, imapLimits)) {
      if (event.type !== "frame") throw new Error("no literal was due");
      const { type, defects } = parseResponse(event.frame);
      if (type !== "fetch" || defects.length > 0) throw new Error(`${type} ${defects}`);
      parsed += 1;
    }
  }
  return parsed;
}

const bytes = input();
const cpuMs: number[] = [];
for (let at = 0; at < rounds; at += 1) {
  const copy = Buffer.from(bytes);
  const before = process.cpuUsage();
  if (round(copy) !== messages) throw new Error("not all messages were parsed");
  const { user, system } = process.cpuUsage(before);
  cpuMs.push((user + system) / 1000);
}
report("cpu_ms", median(cpuMs));
