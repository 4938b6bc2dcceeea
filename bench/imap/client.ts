/** Clients that do the same work with Debian's Dovecot. */
import { Scratch } from "../../test/interop/scratch.js";
import { lacksDebian, lacksPackage, lacksPython } from "../contenders.js";
import { type Bar, type Comparison, compareWork, interleave, skipped, type Work } from "../figures.js";
import { pinned, startNode, startPython, workOf } from "../processes.js";
import type { Plan, Workload } from "../workload.js";
import { dovecotWith } from "./mailbox.js";

const peer = new URL("./peers/client.js", import.meta.url);
const script = new URL("../../../bench/imap/peers/client.py", import.meta.url);

/** Whom hawser's client is held against. */
type Contender = "imapflow" | "imap" | "imaplib";
type Bars = Readonly<Partial<Record<Contender, number>>>;

/** One kind of work. */
interface Job {
  /** As the peers know it. */
  readonly job: string;
  readonly work: string;
  /** How many messages or commands, by {@link Plan.quick}. */
  readonly counts: readonly [full: number, quick: number];
  /** The messages in the mailbox, where they are others. */
  readonly mailbox?: number;
  readonly bars: Bars;
  /** More of hawser's ways, each held against the same bars. */
  readonly ways?: readonly string[];
}

export const envelopes: Workload = {
  name: "imap-envelopes",
  title:
    "FETCH ENVELOPE and BODYSTRUCTURE of 10,000 messages from Dovecot, parsed and typed (imaplib parses nothing)",
  run: (plan) =>
    measure(plan, {
      job: "envelopes",
      work: "IMAP FETCH ENVELOPE BODYSTRUCTURE",
      counts: [10_000, 1000],
      bars: { imapflow: 0.2, imap: 0.9, imaplib: 1.6 },
    }),
};

export const bodies: Workload = {
  name: "imap-bodies",
  title: "FETCH BODY.PEEK[] of 10,000 messages of 8 KiB from Dovecot",
  run: (plan) =>
    measure(plan, {
      job: "bodies",
      work: "IMAP FETCH BODY[], 8 KiB",
      counts: [10_000, 1000],
      bars: { imap: 0.9 },
    }),
};

export const uidFetch: Workload = {
  name: "imap-uid-fetch",
  title: "5,000 times UID FETCH of one message's FLAGS and ENVELOPE from Dovecot, 16 callers at once",
  run: (plan) =>
    measure(plan, {
      job: "uid-fetch",
      work: "IMAP UID FETCH, depth 16",
      counts: [5000, 500],
      bars: { imapflow: 0.25 },
    }),
};

export const append: Workload = {
  name: "imap-append",
  title: "1,000 messages of 8 KiB into an empty mailbox of Dovecot's",
  run: (plan) =>
    measure(plan, {
      job: "append",
      work: "IMAP APPEND, 8 KiB",
      counts: [1000, 50],
      mailbox: 1,
      bars: { imapflow: 0.4 },
      ways: ["hawser-pipelined"],
    }),
};

async function measure(plan: Plan, job: Job): Promise<Comparison[]> {
  const count = job.counts[plan.quick ? 1 : 0];
  const work = `${job.work}, ${count}`;
  const lacking = lacksDebian("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using scratch = await Scratch.make(pinned(1));
  const { imapPort, user, password } = await dovecotWith(scratch, job.mailbox ?? count);
  const args = [job.job, imapPort, user, password, count] as const;
  const by = (name: string) => (): Promise<Work> => workOf(startNode(0, peer, name, ...args));
  // Dovecot looks into each message of a new mailbox once, and remembers what it has found.
  await by("hawser")();
  const ways = ["hawser", ...(job.ways ?? [])];
  const runs = await interleave(plan.rounds, {
    ...Object.fromEntries(ways.map((way) => [way, by(way)])),
    imapflow: runsIf(job.bars.imapflow, lacksPackage("imapflow"), by("imapflow")),
    imap: runsIf(job.bars.imap, lacksPackage("imap"), by("imap")),
    imaplib: runsIf(job.bars.imaplib, lacksPython(), () => workOf(startPython(0, script, ...args))),
  });
  return ways.flatMap((way) => compareAll(work, [way, runs[way as never] ?? []], runs, job.bars));
}

function runsIf<T>(bar: number | undefined, lacking: string | undefined, run: T): T | undefined {
  return bar === undefined || lacking !== undefined ? undefined : run;
}

const names = { imapflow: "imapflow", imap: "node-imap", imaplib: "imaplib" } as const;

function compareAll(
  work: string,
  ours: readonly [string, readonly Work[]],
  runs: Readonly<Record<Contender, readonly Work[]>>,
  bars: Bars,
): Comparison[] {
  return (Object.keys(names) as Contender[]).flatMap((name) => {
    const value = bars[name];
    if (value === undefined) return [];
    const bar: Bar = { relation: "≤", value };
    return compareWork(work, ours, [names[name], runs[name]], bar, `there is no ${names[name]}`);
  });
}
