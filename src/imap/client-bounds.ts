/** What a server may send that nobody has asked for, or that is held until its command ends. */
import { LimitError, RemoteProtocolError } from "../core/errors.js";
import type { Frame } from "./codec-framer.js";
import type { ImapResponse } from "./types-response.js";

/** How much of it. */
export interface BoundOptions {
  /** The most that responses waiting for one command's reader may weigh, in bytes. Default 16 MiB. */
  readonly maxHeldBytes?: number | undefined;
  /** What nobody wants is read and dropped up to this, in bytes; the connection is closed beyond. Default 256 MiB. */
  readonly maxDrainBytes?: number | undefined;
  /** The untagged responses in a row that no command has asked for and nobody reads. Default 100,000. */
  readonly maxUnclaimed?: number | undefined;
}

const mebi = 1_048_576;

/** Keeps count, from one tagged response to the next. */
export class Bounds {
  readonly maxHeldBytes: number;
  readonly #maxDrainBytes: number;
  readonly #maxUnclaimed: number;
  #drainedBytes = 0;
  #unclaimed = 0;

  constructor({ maxHeldBytes, maxDrainBytes, maxUnclaimed }: BoundOptions) {
    this.maxHeldBytes = maxHeldBytes ?? 16 * mebi;
    this.#maxDrainBytes = maxDrainBytes ?? 256 * mebi;
    this.#maxUnclaimed = maxUnclaimed ?? 100_000;
  }

  /** A command is over: what came until now belonged to something. */
  reset(): void {
    this.#drainedBytes = 0;
    this.#unclaimed = 0;
  }

  /** A reader has taken an event: those before it were wanted. */
  wanted(): void {
    this.#unclaimed = 0;
  }

  /** @throws {LimitError} a literal that is not streamed is larger than what may be read for nobody. */
  announced(octets: number): void {
    if (octets > this.#maxDrainBytes) throw new LimitError("a literal", this.#maxDrainBytes);
  }

  /** Counts what is read for nobody. @throws {LimitError} it is too much. */
  drained(bytes: number): void {
    this.#drainedBytes += bytes;
    if (this.#drainedBytes > this.#maxDrainBytes)
      throw new LimitError("what is read for nobody", this.#maxDrainBytes);
  }

  /** Counts a response that no command has asked for. @throws {RemoteProtocolError} there are too many in a row. */
  unclaimed(type: ImapResponse["type"]): void {
    // Whole mailboxes are emptied one EXPUNGE at a time: ten of them count as one.
    this.#unclaimed += type === "expunge" ? 0.1 : 1;
    if (this.#unclaimed > this.#maxUnclaimed)
      throw new RemoteProtocolError(
        `more than ${this.#maxUnclaimed} responses in a row that nobody asked for`,
      );
  }

  /** @throws {LimitError} a command gathers more than may be held. */
  held(bytes: number, command: string): void {
    const max = 2 * this.maxHeldBytes;
    if (bytes > max) throw new LimitError(`the responses to ${command}`, max);
  }
}

/** What a response costs while it is kept: a parsed one is some times larger than its text. */
export function weightOf({ text, literals }: Frame): number {
  let bytes = 200 + 3 * text.length;
  for (const { data } of literals) bytes += data?.length ?? 0;
  return bytes;
}
