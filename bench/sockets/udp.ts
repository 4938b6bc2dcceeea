/** Datagrams that arrive, counted where they arrive: in batches, in segments, and under a flood. */
import { type Comparison, compare, interleave } from "../figures.js";
import { type Peer, startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const sender = new URL("./peers/udp-sender.js", import.meta.url);
const receiver = new URL("./peers/udp-receiver.js", import.meta.url);
const longBytes = 1200;
const shortBytes = 100;

export const udp: Workload = {
  name: "udp",
  title: `datagrams of ${longBytes} B delivered, each kind from its own sender`,
  run: compareKinds,
};

export const udpFlood: Workload = {
  name: "udp-flood",
  title: `datagrams of ${shortBytes} B delivered under a flood of more than anyone can take`,
  run: compareReceivers,
};

async function compareKinds(plan: Plan): Promise<Comparison[]> {
  const from = (kind: string) => (port: number) => startNode(1, sender, kind, port, longBytes);
  const runs = await interleave(plan.rounds, {
    mmsg: () => delivered(plan, "hawser", from("hawser")),
    dgram: () => delivered(plan, "dgram", from("dgram")),
    segmented: () => delivered(plan, "gro", from("gso")),
  });
  const work = `UDP ${longBytes} B delivered`;
  const dgram = ["node:dgram", runs.dgram] as const;
  return [
    compare(work, "packets/s", ["hawser mmsg", runs.mmsg], dgram, { relation: "≥", value: 1.5 }),
    compare(work, "packets/s", ["hawser GSO, GRO", runs.segmented], dgram, { relation: "≥", value: 6 }),
  ];
}

async function compareReceivers(plan: Plan): Promise<Comparison[]> {
  const flood = (port: number) =>
    plan.c.available
      ? plan.c.start(1, "udp-flood", port, shortBytes)
      : startNode(1, sender, "hawser", port, shortBytes);
  const runs = await interleave(plan.rounds, {
    hawser: () => delivered(plan, "hawser", flood),
    dgram: () => delivered(plan, "dgram", flood),
  });
  const bar = { relation: "≥", value: 3 } as const;
  return [
    compare(
      `UDP ${shortBytes} B under a flood`,
      "packets/s",
      ["hawser recvMany", runs.hawser],
      ["node:dgram", runs.dgram],
      bar,
    ),
  ];
}

async function delivered(plan: Plan, kind: string, startSender: (port: number) => Peer): Promise<number> {
  await using counting = startNode(0, receiver, kind, plan.warmUpSeconds, plan.seconds);
  const port = await counting.value("port");
  await using _sending = startSender(port);
  return await counting.value("packets_per_second");
}
