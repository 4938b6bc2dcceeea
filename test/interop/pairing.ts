/** What interop tests are made of: two programs that were not written for each other, and what they must get done. */
import type { Scratch } from "./scratch.js";

/** One pairing: it throws when the two do not understand each other. */
export interface Pairing {
  /** Who with whom, and what: `hawser's SMTP client → Postfix: STARTTLS, SCRAM, a message`. */
  readonly name: string;
  /** Programs that must be there. Where one is not, the pairing is skipped, and says so. */
  readonly needs?: readonly string[];
  /** Returns what is worth saying besides success. */
  run(scratch: Scratch): Promise<string | undefined>;
}
