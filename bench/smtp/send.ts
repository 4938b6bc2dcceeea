/** Many messages over one connection: into a sink beside, and into one that is far away. */

import { lacksDebian, lacksPython } from "../contenders.js";
import { type Comparison, compare, compareWork, interleave, skipped } from "../figures.js";
import { type Peer, startNode, startPython, workOf } from "../processes.js";
import type { Plan, Workload } from "../workload.js";
import { DelayProxy } from "./delay-proxy.js";
import { Sink } from "./sink.js";

const messageBytes = 8192;
const roundTripMs = 20;
const client = new URL("./peers/sender.js", import.meta.url);
const script = new URL("../../../bench/smtp/peers/sender.py", import.meta.url);

export const send: Workload = {
  name: "smtp-send",
  title: "2,000 messages of 8 KiB to Postfix's smtp-sink over one connection",
  run: sendBeside,
};

export const sendFar: Workload = {
  name: "smtp-send-far",
  title: `100 messages of 8 KiB through a proxy that makes the round trip ${roundTripMs} ms`,
  run: sendThroughDelay,
};

async function sendBeside(plan: Plan): Promise<Comparison[]> {
  const messages = plan.quick ? 500 : 2000;
  const work = `SMTP send, ${messages} × 8 KiB`;
  const lacking = lacksDebian("postfix");
  if (lacking !== undefined) return [skipped(work, lacking)];
  await using sink = await Sink.start();
  // V8 has compiled a client's code for good after some 3,000 messages.
  const args = [sink.port, messages, plan.quick ? 500 : 3000, messageBytes] as const;
  const runs = await interleave(plan.rounds, {
    hawser: () => workOf(startNode(0, client, "hawser", ...args)),
    nodemailer: () => workOf(startNode(0, client, "nodemailer", ...args)),
    smtplib: lacksPython() ? undefined : () => workOf(startPython(0, script, ...args)),
  });
  const ours = ["hawser", runs.hawser] as const;
  return [
    ...compareWork(work, ours, ["nodemailer, pool of one", runs.nodemailer], { relation: "≤", value: 0.35 }),
    ...compareWork(work, ours, ["smtplib", runs.smtplib], { relation: "≤", value: 0.6 }, lacksPython()),
  ];
}

async function sendThroughDelay(plan: Plan): Promise<Comparison[]> {
  const messages = plan.quick ? 20 : 100;
  const work = `SMTP send, ${messages} × 8 KiB, ${roundTripMs} ms away`;
  const lacking = lacksDebian("postfix") ?? lacksPython();
  if (lacking !== undefined) return [skipped(work, lacking)];
  await using sink = await Sink.start();
  await using proxy = await DelayProxy.listen(sink.port, roundTripMs / 2);
  const args = [proxy.port, messages, 2, messageBytes] as const;
  const elapsed = (peer: Peer) => workOf(peer).then(({ ms }) => ms);
  // The time is the network's: more than three rounds tell no more.
  const runs = await interleave(Math.min(3, plan.rounds), {
    hawser: () => elapsed(startNode(0, client, "hawser", ...args)),
    smtplib: () => elapsed(startPython(0, script, ...args)),
  });
  return [
    compare(work, "ms", ["hawser", runs.hawser], ["smtplib", runs.smtplib], { relation: "≤", value: 0.3 }),
  ];
}
