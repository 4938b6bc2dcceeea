/** Echo servers under many connections: only the server differs, the load is the same program for all. */
import { type Comparison, compare, interleave } from "../figures.js";
import { type Peer, startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const messageBytes = 64;
const serverProgram = new URL("./peers/echo-server.js", import.meta.url);
const standIns = new URL("./peers/stand-ins.js", import.meta.url);

function echo(connections: number): Workload {
  const work = `echo ${messageBytes} B, ${connections} connections`;
  return {
    name: `echo-${connections}`,
    title: `${work}: messages a second through a server on one core, the load on another`,
    run: (plan) => compareServers(plan, work, connections),
  };
}

export const echo50: Workload = echo(50);
export const echo500: Workload = echo(500);

async function compareServers(plan: Plan, work: string, connections: number): Promise<Comparison[]> {
  const under = (server: () => Peer) => () => messagesPerSecond(plan, server(), connections);
  const runs = await interleave(plan.rounds, {
    hawser: under(() => startNode(0, serverProgram, "hawser")),
    net: under(() => startNode(0, serverProgram, "net")),
    c: plan.c.available ? under(() => plan.c.start(0, "echo-server")) : undefined,
  });
  return [
    compare(work, "msg/s", ["hawser", runs.hawser], ["node:net", runs.net], { relation: "≥", value: 1.2 }),
    compare(work, "msg/s", ["hawser", runs.hawser], ["C epoll", runs.c], { relation: "≥", value: 0.85 }),
  ];
}

async function messagesPerSecond(plan: Plan, started: Peer, connections: number): Promise<number> {
  await using server = started;
  const port = await server.value("port");
  const { c, warmUpSeconds, seconds } = plan;
  await using load = c.startOr(
    1,
    "echo-load",
    standIns,
    port,
    connections,
    messageBytes,
    warmUpSeconds,
    seconds,
  );
  return await load.value("messages_per_second");
}
