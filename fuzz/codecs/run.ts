/**
 * Every codec over bytes that are nearly right: lines of real sessions, cut, doubled, mixed and broken, in random
 * pieces. Whatever comes, there are values or a HawserError, soon.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { HawserError } from "../../src/index.js";
import { Random } from "../random.js";
import { targets } from "./targets.js";

const { values: settings } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "20000" },
    seconds: { type: "string", default: "3600" },
    "raise-loopback": { type: "boolean", default: false },
  },
});

/** The longest that one input may take: they are all short. */
const slowMs = 1_000;

const random = new Random(Number(settings.seed));
const corpus = seeds();
const endMs = performance.now() + Number(settings.seconds) * 1000;
const counts = { inputs: 0, values: 0, refused: 0 };
const failures: string[] = [];
for (let step = 0; step < Number(settings.steps) && performance.now() < endMs; step += 1) feed(made());
console.log(`${counts.inputs} inputs: ${counts.values} taken, ${counts.refused} refused`);
for (const failure of failures.slice(0, 20)) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;

/** The lines of the transcripts, with what stands for bytes made bytes. */
function seeds(): Buffer[] {
  const root = fileURLToPath(new URL("../../../test", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    /transcripts\/.*\.txt$/.test(name),
  );
  const lines = files.flatMap((name) => readFileSync(join(root, name), "utf8").split("\n"));
  const own = [
    "MAIL FROM:<a@x.test> SIZE=10 BODY=8BITMIME SMTPUTF8 ENVID=QQ+2B1 BY=10;RT",
    'RCPT TO:<"a b"@[IPv6:::1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x',
    "PROXY TCP6 ::1 ::2 1 65535",
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x02\0\x19\0\x50",
    "Content-Type: multipart/mixed; boundary=\"b\"; name*0*=utf-8''%C3%BC",
    '=?utf-8?Q?=C3=BC?= =?iso-8859-1?B?/A==?= <a@x>, group: b@y, "c d"@z;',
    '&ZeVnLIqe- {5+} ~{3} (((()))) NIL "\\"" .',
  ];
  return [...lines, ...own].map((line) =>
    Buffer.from(`${line.replace(/^(?:[CS*]:? | {3})/, "")}\r\n`, "latin1"),
  );
}

/** Some lines, broken a little. */
function made(): Buffer {
  const parts = Array.from({ length: 1 + random.below(6) }, () => broken(random.pick(corpus)));
  return Buffer.concat(parts);
}

function broken(line: Buffer): Buffer {
  if (random.chance(0.4)) return line;
  const at = random.below(line.length + 1);
  switch (random.below(6)) {
    case 0:
      return line.subarray(0, at);
    case 1:
      return Buffer.concat([line.subarray(0, at), random.pick(corpus).subarray(random.below(8))]);
    case 2:
      return Buffer.concat([line.subarray(0, at), Buffer.of(random.below(256)), line.subarray(at)]);
    case 3:
      return Buffer.concat([line.subarray(0, at), line.subarray(at).subarray(1 + random.below(3))]);
    case 4:
      return Buffer.concat(Array(1 + random.below(40)).fill(line.subarray(at)));
    default:
      return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
  }
}

function feed(input: Buffer): void {
  for (const [name, make] of Object.entries(targets)) {
    const target = make();
    const queue = new ByteQueue();
    const startMs = performance.now();
    counts.inputs += 1;
    try {
      for (let at = 0; at < input.length; ) {
        const bytes = random.chance(0.3) ? input.length : 1 + random.below(32);
        queue.push(input.subarray(at, at + bytes));
        target(queue);
        at += bytes;
      }
      counts.values += 1;
    } catch (error) {
      if (error instanceof HawserError) counts.refused += 1;
      else
        failures.push(
          `${name}: ${String(error)} on ${JSON.stringify(input.toString("latin1").slice(0, 300))}`,
        );
    }
    const tookMs = performance.now() - startMs;
    if (tookMs > slowMs) failures.push(`${name}: ${Math.round(tookMs)} ms for ${input.length} bytes`);
  }
}
