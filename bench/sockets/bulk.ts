/** One stream, read as fast as it comes: into the caller's buffer, as 'data' events, and through onread. */
import { type Comparison, compare, interleave, median } from "../figures.js";
import { startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const reader = new URL("./peers/bulk-reader.js", import.meta.url);
const standIns = new URL("./peers/stand-ins.js", import.meta.url);

/** Growth that is none: what the runtime keeps for itself. */
const bufferBytes = 256 * 1024;

export const bulk: Workload = {
  name: "bulk",
  title: "one stream received into a buffer of 256 KiB, bytes a second",
  run,
};

async function run(plan: Plan): Promise<Comparison[]> {
  await using source = plan.c.startOr(1, "stream-source", standIns);
  const port = await source.value("port");
  const grown: Record<string, number[]> = { hawser: [], data: [], onread: [] };
  const by = (kind: string) => () => read(plan, kind, port, (bytes) => grown[kind]?.push(bytes));
  const runs = await interleave(plan.rounds, {
    hawser: by("hawser"),
    data: by("data"),
    onread: by("onread"),
  });
  const work = "bulk receive, 256 KiB reads";
  return [
    compare(work, "B/s", ["hawser", runs.hawser], ["node:net data", runs.data], { relation: "≥", value: 1 }),
    compare(work, "B/s", ["hawser", runs.hawser], ["node:net onread", runs.onread]),
    buffersOf(grown),
  ];
}

async function read(plan: Plan, kind: string, port: number, grew: (bytes: number) => void): Promise<number> {
  await using peer = startNode(0, reader, kind, port, plan.warmUpSeconds, plan.seconds);
  const figure = await peer.value("bytes_per_second");
  grew(await peer.value("grown_bytes"));
  return figure;
}

/** No buffer is allocated for a read: over gigabytes, array buffers do not grow by as much as one. */
function buffersOf(grown: Readonly<Record<string, readonly number[]>>): Comparison {
  const [figure, reference] = [median(grown["hawser"] ?? []), median(grown["data"] ?? [])];
  return {
    work: "bulk receive, growth of array buffers",
    contender: "hawser",
    figure,
    against: "node:net data",
    reference,
    unit: "B",
    value: figure,
    bar: { relation: "<", value: bufferBytes },
  };
}
