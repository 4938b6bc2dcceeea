/** One step: some method of some object with some arguments; and what may come of it. */

import { HawserError } from "../../src/index.js";
import * as api from "../../src/socket/index.js";
import type { Random } from "../random.js";
import { forms, Hostile, likely, value } from "./values.js";

/** A call, and what it is called. */
export interface Callable {
  readonly name: string;
  /** Blocks: it is given short deadlines only. */
  readonly blocks: boolean;
  call(args: unknown[]): unknown;
}

/** What the fuzz leaves alone, and why. */
export const excepted: Readonly<Record<string, string>> = {
  sethostname: "renames the machine",
};

type NotPublic<Name extends string> = Name extends keyof api.Socket ? never : Name;
const inner = <Names extends string[]>(...names: { [Index in keyof Names]: NotPublic<Names[Index]> }) =>
  new Set<string>(names);

/** Protected members, which TypeScript keeps from users: the classes that a Socket is made of call them. */
const protectedMembers: ReadonlySet<string> = inner("flag", "from", "resolve", "resolveSync");

/** Every method and accessor that `target` has from its own classes, by reflection. */
export function methodsOf(target: object): Callable[] {
  const found = new Map<string, Callable>();
  let level: object | null = Object.getPrototypeOf(target) as object;
  for (
    ;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const key of Reflect.ownKeys(level)) {
      const name = String(key);
      const { value: method, get, set } = Reflect.getOwnPropertyDescriptor(level, key) ?? {};
      if (key === "constructor" || protectedMembers.has(name) || found.has(name)) continue;
      const blocks = name.endsWith("Sync");
      if (typeof method === "function") {
        found.set(name, { name, blocks, call: (args) => Reflect.apply(method, target, args) });
      }
      if (get) found.set(name, { name, blocks, call: () => Reflect.apply(get, target, []) });
      if (set)
        found.set(`${name}=`, { name: `${name}=`, blocks, call: (args) => Reflect.apply(set, target, args) });
    }
  }
  return [...found.values()];
}

/** Every exported function, the constructors, and the static members of Socket. */
export function functions(): Callable[] {
  const found: Callable[] = [];
  for (const [name, member] of Object.entries(api)) {
    if (typeof member !== "function" || name in excepted) continue;
    const isClass = /^class\b/.test(Function.prototype.toString.call(member));
    const blocks = name.endsWith("Sync");
    const callable = member as (...args: unknown[]) => unknown;
    if (isClass) found.push({ name: `new ${name}`, blocks, call: (args) => Reflect.construct(member, args) });
    else found.push({ name, blocks, call: (args) => callable(...args) });
  }
  for (const key of ["fromFd", "defaultTimeoutMs"] as const) {
    const { value: method, get, set } = Reflect.getOwnPropertyDescriptor(api.Socket, key) ?? {};
    const name = `Socket.${key}`;
    if (typeof method === "function")
      found.push({ name, blocks: false, call: (args) => Reflect.apply(method, api.Socket, args) });
    if (get) found.push({ name, blocks: false, call: () => Reflect.apply(get, api.Socket, []) });
    if (set)
      found.push({ name: `${name}=`, blocks: false, call: (args) => Reflect.apply(set, api.Socket, args) });
  }
  return found;
}

/** Up to five arguments: half of the time such as the call is made for, so that it gets further than its checks. */
export function argumentsFor(
  random: Random,
  { name, blocks }: Callable,
  known: readonly unknown[],
): unknown[] {
  const longestMs = blocks ? 3 : null;
  const [, form] = forms.find(([pattern]) => pattern.test(name)) ?? [];
  const args =
    form !== undefined && random.chance(0.5)
      ? likely(random, form, known, longestMs)
      : Array.from({ length: name.endsWith("=") ? 1 : random.below(5) }, () =>
          value(random, known, longestMs),
        );
  return harmless(name, args, random);
}

/** Takes out what would block or break the fuzz itself, and says why. */
function harmless(name: string, args: unknown[], random: Random): unknown[] {
  // close(2) waits as long as SO_LINGER says.
  if (name === "lingerSeconds=" && typeof args[0] === "number" && args[0] > 0)
    return [random.pick([0, null])];
  if (name === "setsockopt" && args[0] === api.SOL_SOCKET && args[1] === api.SO_LINGER) return [1, 2, 1];
  // Options by number do more when their level is one that exists.
  if (name === "setsockopt" || name === "getsockopt") args[0] = random.pick([0, 1, 6, 17, 41, args[0]]);
  if (name === "getsockopt" || name === "setsockopt")
    args[1] = random.chance(0.8) ? random.below(80) : args[1];
  if (name === "setsockopt" && args[0] === 1 && args[1] === api.SO_LINGER) args[1] = api.SO_KEEPALIVE;
  // Two gigabytes at once are the caller's own wish, and this machine's end.
  return args.map((arg) => (typeof arg === "number" && arg > 1e6 && arg < 2 ** 31 ? 1e6 : arg));
}

/** Whether an error is one that hawser may throw. */
export function isAllowed(error: unknown, name: string): boolean {
  if (error instanceof Hostile || error instanceof HawserError) return true;
  if (error instanceof AggregateError) return error.errors.every((inner) => isAllowed(inner, name));
  // What Node's own modules say of a descriptor that was handed to them, and of a TLS handshake.
  return /^to[A-Z]/.test(name) && error instanceof Error && error.constructor === Error;
}
