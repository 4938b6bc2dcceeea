/** The bench's result as people read it. */
import { type Bar, type Comparison, verdict } from "./figures.js";

const columns = ["work", "contender", "figure", "against", "figure", "ratio", "bar", "verdict"] as const;
type Row = readonly string[];

/** The table, one line for each comparison; the work is named once. */
export function formatTable(comparisons: readonly Comparison[]): string {
  const rows: Row[] = [columns, ...comparisons.map(rowOf)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => formatRow(row, widths)).join("\n");
}

/** One comparison as a line by itself, for showing while the bench goes on. */
export function formatComparison(comparison: Comparison): string {
  return rowOf(comparison)
    .filter((cell) => cell !== "")
    .join(" · ");
}

function formatRow(row: Row, widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

function rowOf(comparison: Comparison): Row {
  const { work, contender, figure, against = "", reference, unit, value, bar, note } = comparison;
  const outcome = verdict(comparison);
  return [
    work,
    contender,
    figure === undefined ? "" : formatFigure(figure, unit),
    against,
    reference === undefined ? "" : formatFigure(reference, unit),
    value === undefined || reference === undefined || bar?.relation === "<" ? "" : value.toFixed(2),
    bar === undefined ? "" : formatBar(bar, unit),
    outcome === "skipped" && note !== undefined
      ? note
      : `${outcome}${note === undefined ? "" : ` (${note})`}`,
  ];
}

function formatBar({ relation, value }: Bar, unit: string): string {
  return `${relation} ${relation === "<" ? formatFigure(value, unit) : value}`;
}

const scales = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** A figure with three digits and its unit: `158 k msg/s`, `1.79 GB/s`. */
export function formatFigure(figure: number, unit: string): string {
  const [divisor, prefix] = scales.find(([scale]) => Math.abs(figure) >= scale) ?? [1, ""];
  const scaled = figure / divisor;
  const wholeDigits = Math.floor(Math.log10(Math.max(Math.abs(scaled), 1)));
  const digits = divisor === 1 && Number.isInteger(scaled) ? 0 : Math.max(0, 2 - wholeDigits);
  const separator = prefix === "" || unit.startsWith("B") ? "" : " ";
  return `${scaled.toFixed(digits)} ${prefix}${separator}${unit}`;
}
