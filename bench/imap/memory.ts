/** What the client needs by itself: memory for a literal that streams, and the processor for the parse. */
import { Scratch } from "../../test/interop/scratch.js";
import { lacksDebian } from "../contenders.js";
import { type Comparison, median, skipped } from "../figures.js";
import { pinned, startNode, workOf } from "../processes.js";
import type { Plan, Workload } from "../workload.js";
import { dovecotWithOne } from "./mailbox.js";

const streamPeer = new URL("./peers/stream.js", import.meta.url);
const parsePeer = new URL("./peers/parser.js", import.meta.url);

export const literal: Workload = {
  name: "imap-literal",
  title: "one literal of 200 MB from Dovecot, streamed: how much larger a second transfer makes the process",
  run: measureLiteral,
};

export const parse: Workload = {
  name: "imap-parse",
  title: "the parse alone of 10,000 responses with ENVELOPE and BODYSTRUCTURE",
  run: measureParse,
};

async function measureLiteral({ quick, rounds }: Plan): Promise<Comparison[]> {
  const megabytes = quick ? 50 : 200;
  const work = `IMAP, a second literal of ${megabytes} MB`;
  const lacking = lacksDebian("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using scratch = await Scratch.make(pinned(1));
  const { imapPort, user, password } = await dovecotWithOne(scratch, megabytes * 1e6);
  const grown: number[] = [];
  const uncollected: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using peer = startNode(0, streamPeer, "stream", imapPort, user, password);
    grown.push(await peer.value("growth"));
    uncollected.push(await peer.value("uncollected"));
  }
  const garbage = median(uncollected);
  return [
    figure(`${work}, over the first one's peak`, "B", median(grown), 16 * 1_048_576),
    // Stricter, and up to the collector: how much of the first it gives back to the system differs from run to run.
    {
      ...{ work: `${work}, over what is left of the first`, contender: "hawser", unit: "B" },
      ...{ figure: garbage, value: garbage },
    },
  ];
}

async function measureParse({ quick, rounds }: Plan): Promise<Comparison[]> {
  const messages = quick ? 2000 : 10_000;
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    took.push((await workOf(startNode(0, parsePeer, "parse", messages))).cpuMs);
  return [figure(`IMAP, the parse of ${messages}, processor`, "ms", median(took), messages * 0.015)];
}

function figure(work: string, unit: string, value: number, max: number): Comparison {
  return { work, contender: "hawser", figure: value, unit, value, bar: { relation: "<", value: max } };
}
