/** Servers under Postfix's smtp-source: ten connections that send as fast as they are answered. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacksDebian, lacksPackage } from "../contenders.js";
import { type Bar, type Comparison, compare, interleave, skipped, type Work } from "../figures.js";
import { messageOf } from "../messages.js";
import { type Peer, start, startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const connections = 10;
const server = new URL("./peers/server.js", import.meta.url);

export const receive: Workload = {
  name: "smtp-receive",
  title: `messages of 8 KiB a second under smtp-source with ${connections} connections, discarded`,
  run: compareServers,
};

export const receiveEach: Workload = {
  name: "smtp-receive-each",
  title: `the same with a connection for each message, as smtp-source does by itself`,
  run: compareConnections,
};

export const dots: Workload = {
  name: "smtp-dots",
  title: "what a body costs whose lines all begin with a dot",
  run: compareBodies,
};

/** The servers by what they are called. */
type Servers = "hawser" | "bsd" | "other";
/** Messages before the clock starts, and while it runs. */
type Counts = readonly [warmUp: number, messages: number];

const kept = ["-d", "-l", "8192"];
const each = ["-l", "8192"];
const bar = { relation: "≥", value: 1.5 } as const;

async function compareServers(plan: Plan): Promise<Comparison[]> {
  const work = `SMTP server, ${connections} connections, 8 KiB`;
  return await compared(work, plan.rounds, plan.quick ? [1000, 2000] : [3000, 4000], kept);
}

/** Few messages: smtp-server waits 100 ms before it greets, to see whether a client talks too early. */
async function compareConnections(plan: Plan): Promise<Comparison[]> {
  const work = `SMTP server, ${connections} connections, each for a message`;
  return await compared(work, Math.min(3, plan.rounds), plan.quick ? [20, 50] : [50, 150], each);
}

async function compared(
  work: string,
  rounds: number,
  counts: Counts,
  options: readonly string[],
): Promise<Comparison[]> {
  const lacking = lacksDebian("postfix");
  if (lacking !== undefined) return [skipped(work, lacking)];
  const other = lacksPackage("smtp-server");
  const under =
    (kind: string, ...rest: string[]) =>
    () =>
      receiveWork(startNode(0, server, kind, ...counts, ...rest), counts, options);
  const runs = await interleave(rounds, {
    hawser: under("hawser"),
    bsd: under("hawser", "bsd"),
    other: other === undefined ? under("smtp-server") : undefined,
  });
  const [, messages] = counts;
  const against = (ours: Servers, name: string, of: (work: Work) => number, heldTo?: Bar): Comparison => {
    const rates = (works: readonly Work[]) => works.map((one) => (messages / of(one)) * 1000);
    const unit = heldTo === undefined ? "msg/CPU s" : "msg/s";
    return compare(work, unit, [name, rates(runs[ours])], ["smtp-server", rates(runs.other)], heldTo, other);
  };
  return [
    against("hawser", "hawser", ({ ms }) => ms, bar),
    against("hawser", "hawser", ({ cpuMs }) => cpuMs),
    against("bsd", "hawser, bsdProvider", ({ ms }) => ms, bar),
    against("bsd", "hawser, bsdProvider", ({ cpuMs }) => cpuMs),
  ];
}

async function receiveWork(started: Peer, counts: Counts, options: readonly string[]): Promise<Work> {
  await using peer = started;
  const port = await peer.value("port");
  const messages = counts[0] + counts[1];
  const mail = ["-f", "bench@example.org", "-t", "sink@example.org"];
  await using _source = start(1, [
    ...["/usr/sbin/smtp-source", "-s", `${connections}`, "-m", `${messages}`],
    ...[...mail, ...options, `127.0.0.1:${port}`],
  ]);
  const cpuMs = await peer.value("cpu_ms");
  return { cpuMs, ms: await peer.value("ms") };
}

async function compareBodies(plan: Plan): Promise<Comparison[]> {
  const work = "SMTP server, bodies of 64 KiB";
  const lacking = lacksDebian("postfix");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using files = new Files();
  const counts: Counts = plan.quick ? [200, 500] : [500, 2000];
  const by = (name: string, hasDots: boolean) => {
    const path = files.write(name, hasDots);
    return () => receiveWork(startNode(0, server, "hawser", ...counts), counts, ["-d", "-F", path]);
  };
  const runs = await interleave(plan.rounds, { dotted: by("dotted", true), plain: by("plain", false) });
  const contenders = (of: (work: Work) => number) =>
    [
      ["every line with a dot", runs.dotted.map(of)],
      ["none", runs.plain.map(of)],
    ] as const;
  return [
    compare(`${work}, processor`, "ms", ...contenders(({ cpuMs }) => cpuMs), { relation: "≤", value: 1.3 }),
    compare(work, "ms", ...contenders(({ ms }) => ms)),
  ];
}

/** Messages as files, with the line ends that smtp-source takes. */
class Files implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "hawser-bench-"));

  write(name: string, hasDots: boolean): string {
    const path = join(this.#folder, name);
    const text = new TextDecoder().decode(messageOf(65_536, { dots: hasDots }));
    writeFileSync(path, text.replaceAll("\r\n", "\n"));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
