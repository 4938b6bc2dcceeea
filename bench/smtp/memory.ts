/** What messages and connections cost in memory. */
import { type Comparison, median } from "../figures.js";
import { startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const messageBytes = 50e6;
const idleClients = 200;
const streamPeer = new URL("./peers/stream.js", import.meta.url);
const idlePeer = new URL("./peers/idle.js", import.meta.url);

export const stream: Workload = {
  name: "smtp-stream",
  title: "a message of 50 MB from client to server: the growth of each in a second transfer over the first",
  run: measureStream,
};

export const idle: Workload = {
  name: "smtp-idle",
  title: `${idleClients} idle clients in one process, their server in another`,
  run: measureIdle,
};

async function measureStream({ rounds }: Plan): Promise<Comparison[]> {
  const grown = { client: [] as number[], server: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    await using server = startNode(0, streamPeer, "server");
    await using client = startNode(1, streamPeer, "client", await server.value("port"), messageBytes);
    grown.client.push(await client.value("growth"));
    grown.server.push(await server.value("growth"));
  }
  const of = (contender: "client" | "server"): Comparison =>
    memory("SMTP, a second message of 50 MB", contender, median(grown[contender]), 32e6);
  return [of("client"), of("server")];
}

async function measureIdle(): Promise<Comparison[]> {
  await using server = startNode(0, idlePeer, "server", idleClients);
  await using client = startNode(1, idlePeer, "client", await server.value("port"), idleClients);
  const work = `SMTP, ${idleClients} idle connections`;
  return [
    memory(work, "clients", await client.value("grown"), 60e6),
    memory(work, "server", await server.value("grown"), 60e6),
  ];
}

function memory(work: string, contender: string, figure: number, maxBytes: number): Comparison {
  return { work, contender, figure, unit: "B", value: figure, bar: { relation: "<", value: maxBytes } };
}
