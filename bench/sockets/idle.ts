/** What an idle socket costs, in memory and in timers. */
import type { Comparison } from "../figures.js";
import { startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const program = new URL("./peers/idle-sockets.js", import.meta.url);
const socketCount = 10_000;

export const idle: Workload = {
  name: "idle",
  title: `${socketCount} idle connections in one process, their peers in another`,
  run,
};

async function run({ quick }: Plan): Promise<Comparison[]> {
  const count = quick ? socketCount / 10 : socketCount;
  await using server = startNode(0, program, "server", count);
  await using _client = startNode(1, program, "client", await server.value("port"), count);
  const kilobytes = { relation: "<", value: 2048 } as const;
  const of = (contender: string, figure: number, unit: string, bar: Comparison["bar"]): Comparison => ({
    work: `${count} idle sockets`,
    contender,
    figure,
    unit,
    value: figure,
    ...(bar && { bar }),
  });
  return [
    of("accepted, each", await server.value("idle_bytes"), "B", kilobytes),
    of("waiting with a deadline, each", await server.value("waiting_bytes"), "B", kilobytes),
    of("timers of all deadlines", await server.value("timers"), "timers", { relation: "<", value: 2 }),
  ];
}
