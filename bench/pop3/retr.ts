/** A mailbox of Debian's Dovecot, fetched as a whole. */
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { Scratch } from "../../test/interop/scratch.js";
import { type Dovecot, startDovecot } from "../../test/interop/servers/dovecot.js";
import { lacksDebian, lacksPackage, lacksPython } from "../contenders.js";
import { type Comparison, compareWork, interleave, skipped } from "../figures.js";
import { messageOf } from "../messages.js";
import { pinned, startNode, startPython, workOf } from "../processes.js";
import type { Plan, Workload } from "../workload.js";

const messageBytes = 8192;
/** nobody, as whom Dovecot reads mail. */
const uid = 65534;
const fetcher = new URL("./peers/fetcher.js", import.meta.url);
const script = new URL("../../../bench/pop3/peers/fetcher.py", import.meta.url);

export const retr: Workload = {
  name: "pop3-retr",
  title: "5,000 messages of 8 KiB from Dovecot, hawser with 16 requests under way",
  run,
};

async function run(plan: Plan): Promise<Comparison[]> {
  const messages = plan.quick ? 1000 : 5000;
  const work = `POP3 RETR, ${messages} × 8 KiB`;
  const lacking = lacksDebian("dovecot-core", "dovecot-pop3d", "dovecot-imapd", "dovecot-lmtpd");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using scratch = await Scratch.make(pinned(1));
  const dovecot = await startDovecot(scratch, ["alice"]);
  fillMaildir(scratch.path("dovecot/mail/alice"), messages);
  return await compareClients(plan, work, dovecot, messages);
}

async function compareClients(
  plan: Plan,
  work: string,
  { pop3Port, user, password }: Dovecot,
  messages: number,
): Promise<Comparison[]> {
  const args = [pop3Port, user, password, messages, plan.quick ? 500 : 2000] as const;
  const [noPython, noPackage] = [lacksPython(), lacksPackage("node-pop3")];
  const hawser = () => workOf(startNode(0, fetcher, "hawser", ...args));
  // Dovecot looks at each message of a new mailbox once.
  await hawser();
  const runs = await interleave(plan.rounds, {
    hawser,
    poplib: noPython === undefined ? () => workOf(startPython(0, script, ...args)) : undefined,
    nodePop3: noPackage === undefined ? () => workOf(startNode(0, fetcher, "node-pop3", ...args)) : undefined,
  });
  const ours = ["hawser", runs.hawser] as const;
  return [
    ...compareWork(work, ours, ["poplib", runs.poplib], { relation: "≤", value: 0.35 }, noPython),
    ...compareWork(work, ours, ["node-pop3", runs.nodePop3], { relation: "≤", value: 0.4 }, noPackage),
  ];
}

/** Messages as Dovecot would have put them there: their names tell the sizes. */
function fillMaildir(folder: string, messages: number): void {
  const bytes = messageOf(messageBytes);
  for (const name of ["", "/cur", "/new", "/tmp"]) {
    mkdirSync(folder + name, { recursive: true });
    chownSync(folder + name, uid, uid);
  }
  for (let number = 1; number <= messages; number += 1) {
    const path = `${folder}/cur/${1_700_000_000 + number}.M${number}P1.bench,S=${messageBytes},W=${messageBytes}:2,S`;
    writeFileSync(path, bytes);
    chownSync(path, uid, uid);
  }
}
