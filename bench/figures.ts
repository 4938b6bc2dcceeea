/** The arithmetic of the bench: medians, ratios of interleaved runs, and what is held against a bar. */

/** What a value is held to. `≤` and `≥` are ratios to a contender; `<` is a figure by itself. */
export interface Bar {
  readonly relation: "≥" | "≤" | "<";
  readonly value: number;
}

/** One line of the table: a figure beside the one that it is held against. */
export interface Comparison {
  readonly work: string;
  readonly contender: string;
  /** Undefined when nothing was measured. */
  readonly figure?: number;
  readonly against?: string;
  readonly reference?: number;
  readonly unit: string;
  /** What the bar is for: the ratio, or the figure itself. Undefined when the comparison was skipped. */
  readonly value?: number;
  readonly bar?: Bar;
  /** Why there is no value, or what else was seen. */
  readonly note?: string;
}

export type Verdict = "met" | "missed" | "skipped" | "quoted";

/** Figures of each contender, run by run: the same index is the same round. */
export type Runs<Name extends string, Figure = number> = Readonly<Record<Name, readonly Figure[]>>;

/** The middle value; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median over the rounds of what one contender did to what another did in the same round. */
export function ratio(figures: readonly number[], references: readonly number[]): number {
  return median(figures.map((figure, round) => figure / (references[round] ?? Number.NaN)));
}

/** Whether a value reaches its bar. A bar of 1.0 allows for 5 % of noise. */
export function verdict({ value, bar }: Comparison): Verdict {
  if (value === undefined) return "skipped";
  if (bar === undefined) return "quoted";
  const slack = bar.value === 1 ? 0.05 : 0;
  if (bar.relation === "≥") return value >= bar.value - slack ? "met" : "missed";
  if (bar.relation === "≤") return value <= bar.value + slack ? "met" : "missed";
  return value < bar.value ? "met" : "missed";
}

/** A comparison of two contenders' runs. Without runs to hold it against, it is skipped, and the reason is told. */
export function compare(
  work: string,
  unit: string,
  [contender, figures]: readonly [string, readonly number[]],
  [against, references]: readonly [string, readonly number[]],
  bar?: Bar,
  lacking = "there is no C compiler",
): Comparison {
  const known = { work, unit, contender, figure: median(figures), against, ...(bar && { bar }) };
  if (references.length === 0) return { ...known, note: skippedBecause(lacking) };
  return { ...known, reference: median(references), value: ratio(figures, references) };
}

/** A comparison that cannot be made at all. */
export function skipped(work: string, reason: string): Comparison {
  return { work, contender: "hawser", unit: "", note: skippedBecause(reason) };
}

function skippedBecause(reason: string): string {
  return `skipped, because ${reason}`;
}

/** What a piece of work took. */
export interface Work {
  readonly ms: number;
  /** Of the processor. On a machine with other work it tells more than the time. */
  readonly cpuMs: number;
}

/** A comparison of the time that two contenders took, held to the bar, and one of their processor time, quoted. */
export function compareWork(
  work: string,
  [contender, ours]: readonly [string, readonly Work[]],
  [against, theirs]: readonly [string, readonly Work[]],
  bar: Bar,
  lacking?: string,
): Comparison[] {
  const by = (of: (work: Work) => number) =>
    [
      [contender, ours.map(of)],
      [against, theirs.map(of)],
    ] as const;
  return [
    compare(work, "ms", ...by(({ ms }) => ms), bar, lacking),
    compare(`${work}, processor`, "ms", ...by(({ cpuMs }) => cpuMs), undefined, lacking),
  ];
}

/** Runs every contender once a round, in turn, so that a machine that slows down slows all of them. An undefined one has no runs. */
export async function interleave<Name extends string, Figure = number>(
  rounds: number,
  contenders: Readonly<Record<Name, (() => Promise<Figure>) | undefined>>,
): Promise<Runs<Name, Figure>> {
  const names = Object.keys(contenders) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Figure[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const contender = contenders[name];
      if (contender !== undefined) runs[name].push(await contender());
    }
  }
  return runs;
}
