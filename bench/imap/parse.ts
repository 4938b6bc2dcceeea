/** What the parser of IMAP takes, without a network. */
import type { Comparison } from "../figures.js";
import { startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const peer = new URL("./peers/parse.js", import.meta.url);

export const parse: Workload = {
  name: "imap-parse",
  title: "FETCH ENVELOPE BODYSTRUCTURE of 10,000 messages parsed, processor time",
  run,
};

async function run(plan: Plan): Promise<Comparison[]> {
  await using parser = startNode(0, peer, plan.quick ? 5 : 9);
  const figure = await parser.value("cpu_ms");
  return [
    {
      work: "IMAP parse, 10,000 FETCH responses, processor",
      contender: "hawser",
      figure,
      unit: "ms",
      value: figure,
      bar: { relation: "<", value: 150 },
    },
  ];
}
