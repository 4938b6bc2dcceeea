/** hawser's server: SELECT and FETCH FLAGS beside Dovecot, and twenty clients that keep count of what they are told. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Scratch } from "../../test/interop/scratch.js";
import { lacksDebian } from "../contenders.js";
import { type Comparison, compareWork, interleave, skipped, type Work } from "../figures.js";
import { pinned, startNode } from "../processes.js";
import type { Plan, Workload } from "../workload.js";
import { dovecotWith } from "./mailbox.js";

const serverPeer = new URL("./peers/server.js", import.meta.url);
const loadPeer = new URL("./peers/load.js", import.meta.url);
const stressTest = new URL("../../test/imap/server-stress.test.js", import.meta.url);

export const flags: Workload = {
  name: "imap-server",
  title: "SELECT and FETCH 1:* (FLAGS) of 10,000 messages, hawser's server with its store in memory",
  run: measureFlags,
};

export const stress: Workload = {
  name: "imap-stress",
  title:
    "20 clients with mixed commands for a minute (3 s with --quick), as test/imap/server-stress has them",
  run: measureStress,
};

/** Who serves, and what its processes have had of the processor. */
interface Serving {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  cpuMs(): number;
}

async function measureFlags({ quick, rounds }: Plan): Promise<Comparison[]> {
  const [messages, times] = quick ? [2000, 10] : [10_000, 20];
  const work = `IMAP server, ${times} × SELECT and FETCH FLAGS of ${messages}`;
  const lacking = lacksDebian("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd");
  if (lacking !== undefined) return [skipped(work, lacking)];
  using scratch = await Scratch.make(pinned(0));
  const dovecot = await dovecotServing(scratch, messages);
  await using server = startNode(0, serverPeer, "serve", messages);
  const ours = await ownServing(server);
  const by = (serving: Serving) => () => load(serving, messages, times);
  const runs = await interleave(rounds, { hawser: by(ours), dovecot: by(dovecot) });
  const bar = { relation: "≤", value: 1.5 } as const;
  return compareWork(work, ["hawser", runs.hawser], ["Dovecot", runs.dovecot], bar);
}

async function dovecotServing(scratch: Scratch, messages: number): Promise<Serving> {
  const { imapPort, user, password } = await dovecotWith(scratch, messages);
  const group = Number(readFileSync(scratch.path("dovecot/run/master.pid"), "utf8"));
  return { port: imapPort, user, password, cpuMs: () => cpuMsOf((stat) => stat.group === group) };
}

async function ownServing(server: ReturnType<typeof startNode>): Promise<Serving> {
  const [port, pid] = [await server.value("port"), await server.value("pid")];
  return { port, user: "alice", password: "secret", cpuMs: () => cpuMsOf((stat) => stat.pid === pid) };
}

/** The processor time is the server's; the client is the same small one for both. */
async function load(serving: Serving, messages: number, times: number): Promise<Work> {
  await using peer = startNode(
    ...([1, loadPeer, "load", serving.port, serving.user, serving.password, messages, times] as const),
  );
  await peer.value("warm");
  const before = serving.cpuMs();
  const ms = await peer.value("ms");
  return { ms, cpuMs: serving.cpuMs() - before };
}

interface Stat {
  readonly pid: number;
  readonly group: number;
}

/** What processes have had of the processor: proc(5). A tick is a hundredth of a second everywhere on Linux. */
function cpuMsOf(isOne: (stat: Stat) => boolean): number {
  let ticks = 0;
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat === undefined || !isOne({ pid: Number(name), group: stat[4] ?? 0 })) continue;
    ticks += (stat[13] ?? 0) + (stat[14] ?? 0);
  }
  return ticks * 10;
}

/** The fields behind the name, which may hold spaces; field 4 is the process group, 13 and 14 the times. */
function statOf(pid: string): number[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return [
      0,
      0,
      ...stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .map(Number),
    ];
  } catch {
    return undefined;
  }
}

async function measureStress({ quick }: Plan): Promise<Comparison[]> {
  const env = { ...process.env, ...(quick ? {} : { HAWSER_STRESS: "1" }) };
  const args = ["--test", "--test-reporter=tap", fileURLToPath(stressTest)];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 1)));
  const commands = Number(/# (\d+) commands/.exec(output)?.[1] ?? 0);
  if (code !== 0) console.error(output);
  const failed = code === 0 && commands > 0 ? 0 : 1;
  return [
    {
      ...{ work: "IMAP server, 20 clients with mixed commands", contender: "hawser", figure: failed },
      ...{ unit: "state errors", value: failed, bar: { relation: "<", value: 1 } as const },
      note: `${commands} commands`,
    },
  ];
}
