/** Servers under Postfix's smtp-source: ten connections that send as fast as they are answered. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacksDebian, lacksPackage } from "../contenders.js";
import { type Comparison, compare, interleave, skipped, type Work } from "../figures.js";
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

export const dots: Workload = {
  name: "smtp-dots",
  title: "what a body costs whose lines all begin with a dot",
  run: compareBodies,
};

async function compareServers(plan: Plan): Promise<Comparison[]> {
  const work = `SMTP server, ${connections} connections, 8 KiB`;
  const lacking = lacksDebian("postfix");
  if (lacking !== undefined) return [skipped(work, lacking)];
  const counts = plan.quick ? [500, 2000] : [2000, 5000];
  const under = (...kind: string[]) => {
    return () =>
      receiveWork(startNode(0, server, kind[0] ?? "", ...counts, ...kind.slice(1)), counts, ["-l", "8192"]);
  };
  const other = lacksPackage("smtp-server");
  const runs = await interleave(plan.rounds, {
    hawser: under("hawser"),
    bsd: under("hawser", "bsd"),
    other: other === undefined ? under("smtp-server") : undefined,
  });
  const [, messages = 0] = counts;
  const rates = (works: readonly Work[]) => works.map(({ ms }) => (messages / ms) * 1000);
  const cpu = (works: readonly Work[]) => works.map(({ cpuMs }) => (messages / cpuMs) * 1000);
  const bar = { relation: "≥", value: 1.5 } as const;
  return [
    compare(work, "msg/s", ["hawser", rates(runs.hawser)], ["smtp-server", rates(runs.other)], bar, other),
    compare(
      work,
      "msg/s",
      ["hawser, bsdProvider", rates(runs.bsd)],
      ["smtp-server", rates(runs.other)],
      bar,
      other,
    ),
    compare(
      `${work}, a second of the processor`,
      "msg",
      ["hawser", cpu(runs.hawser)],
      ["smtp-server", cpu(runs.other)],
      undefined,
      other,
    ),
    compare(
      `${work}, a second of the processor`,
      "msg",
      ["hawser, bsdProvider", cpu(runs.bsd)],
      ["smtp-server", cpu(runs.other)],
      undefined,
      other,
    ),
  ];
}

async function receiveWork(
  started: Peer,
  counts: readonly number[],
  content: readonly string[],
): Promise<Work> {
  await using peer = started;
  const port = await peer.value("port");
  const messages = counts.reduce((sum, count) => sum + count, 0);
  const mail = ["-f", "bench@example.org", "-t", "sink@example.org"];
  await using _source = start(1, [
    ...["/usr/sbin/smtp-source", "-d", "-s", `${connections}`, "-m", `${messages}`],
    ...[...mail, ...content, `127.0.0.1:${port}`],
  ]);
  const cpuMs = await peer.value("cpu_ms");
  return { cpuMs, ms: await peer.value("ms") };
}

async function compareBodies(plan: Plan): Promise<Comparison[]> {
  const work = "SMTP server, bodies of 64 KiB";
  const lacking = lacksDebian("postfix");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using files = new Files();
  const counts = plan.quick ? [200, 500] : [500, 2000];
  const by = (name: string, hasDots: boolean) => {
    const path = files.write(name, hasDots);
    return () => receiveWork(startNode(0, server, "hawser", ...counts), counts, ["-F", path]);
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
