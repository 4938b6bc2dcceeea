/** How the command writes: data on stdout, talk on stderr. */
import { once } from "node:events";
import type { Address } from "../socket/index.js";

/** A line of data. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line of talk. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Bytes of data, written no faster than the reader of stdout takes them. */
export async function writeOut(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain", { signal });
}

/** An address for people: `127.0.0.1 port 80`, a path, `@name` for an abstract one. */
export function describe(address: Address): string {
  if (address instanceof Uint8Array) return new TextDecoder().decode(address).replace("\0", "@");
  if (typeof address === "string") return address === "" ? "an unnamed socket" : address;
  return `${address[0]} port ${address[1]}`;
}

/** Rows as columns of the width of their longest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
