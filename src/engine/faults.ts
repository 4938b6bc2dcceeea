/** What a server is told to do wrong on purpose, so that clients can be tested. */
import { LocalProtocolError } from "../core/errors.js";

/**
 * One fault. `on` says where: a command (`"RCPT"`), a pattern over the whole command line, or a stage that the protocol
 * names, such as `"connect"`. What to do there may be combined.
 *
 * @example
 * ```ts
 * faults: [
 *   { on: "RCPT", reply: "451 4.3.0 later", times: 2 },
 *   { on: /^MAIL FROM:<slow@/i, delayMs: 500 },
 *   { on: "DATA", drop: true, chance: 0.1 },
 * ]
 * ```
 */
export interface Fault {
  readonly on: string | RegExp;
  /** Says this in place of the right reply. Several lines are several strings. The command is not carried out. */
  readonly reply?: string | readonly string[] | undefined;
  /** Waits before the reply, in milliseconds. */
  readonly delayMs?: number | undefined;
  /** Sends the reply in two pieces, the first of so many bytes, with a turn of the event loop between. */
  readonly splitBytes?: number | undefined;
  /** Cuts the connection: in place of the reply, or after `splitBytes` of it. */
  readonly drop?: boolean | undefined;
  /** On the command that starts TLS: answers it, and then lets the handshake fail. */
  readonly tlsFailure?: boolean | undefined;
  /** How often; after that the server does it right. Default: always. */
  readonly times?: number | undefined;
  /** How likely each time, from 0 to 1. Default 1. The server's `faultSeed` makes a run repeatable. */
  readonly chance?: number | undefined;
}

/** The faults of one server: they count across its connections. */
export class FaultPlan {
  readonly #faults: readonly Fault[];
  readonly #left: Map<Fault, number>;
  readonly #random: () => number;

  constructor(faults: readonly Fault[] = [], seed = 1) {
    for (const fault of faults) checkFault(fault);
    this.#faults = faults;
    this.#left = new Map(faults.map((fault) => [fault, fault.times ?? Number.POSITIVE_INFINITY]));
    this.#random = mulberry32(seed);
  }

  /** The fault that is due at a stage or a command, if any. It is used up by being asked for. */
  take(stage: string, line: string = stage): Fault | undefined {
    for (const fault of this.#faults) {
      const left = this.#left.get(fault) ?? 0;
      if (left <= 0 || !matches(fault.on, stage, line)) continue;
      if (fault.chance !== undefined && this.#random() >= fault.chance) continue;
      this.#left.set(fault, left - 1);
      return fault;
    }
    return undefined;
  }
}

function matches(on: string | RegExp, stage: string, line: string): boolean {
  return typeof on === "string" ? on.toLowerCase() === stage.toLowerCase() : on.test(line);
}

function checkFault(fault: Fault): void {
  const { reply, delayMs, splitBytes, drop, tlsFailure } = fault;
  const does = [reply, delayMs, splitBytes].some((value) => value !== undefined) || drop || tlsFailure;
  if (does !== true) throw new LocalProtocolError(`the fault on ${fault.on} does nothing`);
  if (typeof fault.on !== "string" && (fault.on.global || fault.on.sticky))
    throw new LocalProtocolError(`the pattern ${fault.on} remembers where it stopped: leave out its g or y`);
}

/** A small generator of numbers from 0 to 1 (mulberry32), the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
