/** In a network namespace of its own: what connect says of networks that cannot be reached. */
import { execFileSync } from "node:child_process";
import { Socket } from "../../../src/socket/index.js";
import { codeOf } from "../robust.js";

const seen: Record<string, string | undefined> = {};

async function connect(what: string, host: string, type = 1): Promise<void> {
  using s = new Socket(2, type);
  const promised = await s.connect([host, 9], { timeoutMs: 5000 }).then(() => undefined, codeOf);
  using again = new Socket(2, type);
  let sync: string | undefined;
  try {
    again.connectSync([host, 9], { timeoutMs: 5000 });
  } catch (error) {
    sync = codeOf(error);
  }
  seen[what] = promised === sync ? promised : `${promised} and ${sync}`;
}

await connect("TCP without a route", "198.51.100.1");
await connect("UDP without a route", "198.51.100.1", 2);
await connect("loopback that is down", "127.0.0.1");
execFileSync("ip", ["link", "set", "lo", "up"]);
for (const [kind, host] of [
  ["unreachable", "203.0.113.1"],
  ["prohibit", "203.0.113.2"],
  ["blackhole", "203.0.113.3"],
] as const) {
  execFileSync("ip", ["route", "add", kind, `${host}/32`]);
}
await connect("TCP on an unreachable route", "203.0.113.1");
await connect("TCP on a prohibited route", "203.0.113.2");
await connect("TCP on a blackhole route", "203.0.113.3");
console.log(JSON.stringify(seen));
