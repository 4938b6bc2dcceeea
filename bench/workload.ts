/** What a workload is given, and what it gives back. */
import type { Comparison } from "./figures.js";
import type { Compiled } from "./processes.js";

/** How long and how often to measure. */
export interface Plan {
  /** Rounds in which every contender runs once. */
  readonly rounds: number;
  /** How long one contender is measured, in seconds, after a warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly quick: boolean;
  readonly c: Compiled;
}

/** One subject of the bench: several contenders do the same work in turn. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  run(plan: Plan): Promise<Comparison[]>;
}
