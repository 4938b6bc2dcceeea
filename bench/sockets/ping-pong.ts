/** One message at a time: the median round trip of each kind of client to one and the same echo server. */
import { type Comparison, compare, interleave } from "../figures.js";
import { type Core, type Peer, startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const messageBytes = 64;
const client = new URL("./peers/ping-pong.js", import.meta.url);
const nodeServer = new URL("./peers/echo-server.js", import.meta.url);

export const pingPong: Workload = {
  name: "ping-pong",
  title: `the median round trip of ${messageBytes} B to a C echo server (node:net without a compiler)`,
  // On one core the calls count, on two the time that the kernel takes to wake the other one.
  run: async (plan) => [...(await run(plan, 0, "one core")), ...(await run(plan, 1, "two cores"))],
};

async function run(plan: Plan, serverCore: Core, where: string): Promise<Comparison[]> {
  await using server = plan.c.available
    ? plan.c.start(serverCore, "echo-server")
    : startNode(serverCore, nodeServer, "net");
  const port = await server.value("port");
  const rounds = [plan.quick ? 2000 : 4000, plan.quick ? 5000 : 12_000] as const;
  const from = (kind: string) => () => medianUs(startNode(0, client, kind, port, messageBytes, ...rounds));
  const runs = await interleave(plan.rounds, {
    promise: from("promise"),
    net: from("net"),
    sync: from("sync"),
    c: plan.c.available
      ? () => medianUs(plan.c.start(0, "ping-pong", port, messageBytes, ...rounds))
      : undefined,
  });
  const work = `ping-pong ${messageBytes} B, ${where}`;
  return [
    compare(work, "µs", ["hawser", runs.promise], ["node:net", runs.net], { relation: "≤", value: 1.05 }),
    compare(work, "µs", ["hawser Sync", runs.sync], ["C", runs.c], { relation: "≤", value: 1.1 }),
  ];
}

async function medianUs(started: Peer): Promise<number> {
  await using peer = started;
  return await peer.value("median_us");
}
