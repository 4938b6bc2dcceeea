/** What the Node peers share: they print lines `name value`, run until killed, and never for more than two minutes. */
import type { AddressInfo, Server } from "node:net";

export const peerLifeMs = 120_000;
setTimeout(() => process.exit(1), peerLifeMs).unref();

/** The arguments after the program's name. */
export const args: readonly string[] = process.argv.slice(2);

/** Argument `index` as a number. */
export function numberArgument(index: number): number {
  return Number(args[index]);
}

/** Runs the one of `roles` that the first argument names. */
export async function play(roles: Readonly<Record<string, () => unknown>>): Promise<void> {
  const role = roles[args[0] ?? ""];
  if (role === undefined)
    throw new Error(`there is no role ${args[0]}: there are ${Object.keys(roles).join(", ")}`);
  await role();
}

/** Tells the bench a value. */
export function report(name: string, value: number): void {
  process.stdout.write(`${name} ${value}\n`);
}

/** Listens on a free loopback port and reports it. */
export function listenNode(server: Server): void {
  server.listen(0, "127.0.0.1", 1024, () => report("port", (server.address() as AddressInfo).port));
}

export function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}
