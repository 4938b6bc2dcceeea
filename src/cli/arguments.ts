/** What the arguments of several subcommands have in common. */
import { rmSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { AF_INET, AF_INET6, AF_UNIX, type Family, SOCK_DGRAM, SOCK_STREAM, Socket } from "../socket/index.js";

/** Where a subcommand listens unless it is told: nothing on the network reaches it by accident. */
export const loopback = "127.0.0.1";

/** Commander's parser of a time: seconds, as people write them, to milliseconds. */
export function secondsToMs(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds > 0) || !Number.isFinite(seconds))
    throw new InvalidArgumentError("It must be a number of seconds, more than 0.");
  return seconds * 1000;
}

/** A place to listen or to send to: a host and a port, or a path. */
export type Place = readonly [host: string, port: string] | string;

/** AF_UNIX for a path, AF_INET6 for an IPv6 address, AF_INET for all else. */
export function familyOf(place: Place): Family {
  if (typeof place === "string") return AF_UNIX;
  return place[0].includes(":") ? AF_INET6 : AF_INET;
}

/** A listener, or with `udp` a socket for datagrams, bound to `place`. A path disappears when `remove` is called. */
export async function bound(
  place: Place,
  udp: boolean,
  family: Family = familyOf(place),
): Promise<{ readonly socket: Socket; remove(): void }> {
  const socket = new Socket<Family>(family, udp ? SOCK_DGRAM : SOCK_STREAM);
  try {
    if (!udp && typeof place !== "string") socket.reuseAddress = true;
    await socket.bind(place);
    if (!udp) socket.listen();
  } catch (error) {
    socket.close();
    throw error;
  }
  const remove = () => {
    if (typeof place === "string") rmSync(place, { force: true });
  };
  return { socket, remove };
}
