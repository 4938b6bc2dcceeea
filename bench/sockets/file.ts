/** A file from the page cache to a socket: sendFile beside a pipeline of Node's streams. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Comparison, compare, interleave } from "../figures.js";
import { startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const sender = new URL("./peers/file-sender.js", import.meta.url);
const standIns = new URL("./peers/stand-ins.js", import.meta.url);
const gibibyte = 2 ** 30;

export const file: Workload = {
  name: "file",
  title: "a file of 1 GiB (--quick: 256 MiB) from the page cache to a socket",
  run,
};

async function run(plan: Plan): Promise<Comparison[]> {
  using source = new CachedFile(plan.quick ? gibibyte / 4 : gibibyte);
  await using sink = plan.c.startOr(1, "sink", standIns);
  const port = await sink.value("port");
  const cpu: Record<string, number[]> = { hawser: [], pipeline: [] };
  const by = (kind: string) => () => send(kind, port, source.path, (seconds) => cpu[kind]?.push(seconds));
  const runs = await interleave(plan.rounds, { hawser: by("hawser"), pipeline: by("pipeline") });
  const contenders = [cpu["hawser"] ?? [], cpu["pipeline"] ?? []] as const;
  return [
    compare("file to socket", "B/s", ["hawser sendFile", runs.hawser], ["pipeline", runs.pipeline], {
      relation: "≥",
      value: 1.3,
    }),
    compare(
      "file to socket, processor",
      "s",
      ["hawser sendFile", contenders[0]],
      ["pipeline", contenders[1]],
      {
        relation: "≤",
        value: 0.7,
      },
    ),
  ];
}

async function send(
  kind: string,
  port: number,
  path: string,
  used: (cpuSeconds: number) => void,
): Promise<number> {
  await using peer = startNode(0, sender, kind, port, path);
  const figure = await peer.value("bytes_per_second");
  used(await peer.value("cpu_seconds"));
  return figure;
}

/** A sparse file, read once so that all of it is in the page cache. */
class CachedFile implements Disposable {
  readonly path: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "hawser-bench-"));

  constructor(bytes: number) {
    this.path = join(this.#folder, "file");
    const fd = openSync(this.path, "w+");
    ftruncateSync(fd, bytes);
    const buffer = new Uint8Array(4 * 1024 * 1024);
    for (let position = 0; position < bytes; ) position += readSync(fd, buffer, 0, buffer.length, position);
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
