/**
 * The language of the probes: JSON, so that a Python program and a JavaScript one can read the same text.
 *
 * A probe is a list of steps, each `[call, ...arguments]`. A call is a function of the socket module under its Python
 * name (`"getaddrinfo"`), or a method of what a name stands for (`"s.bind"`, `"pair[0].recv"`). `"s=socket"` gives its
 * result a name; a leading `~` keeps the result out of the comparison, for it may differ from run to run.
 *
 * In arguments `"$AF_INET"` is a constant and `"$MSG_PEEK|MSG_TRUNC"` several, `"@s"` what a name stands for (`"@a[1]"`
 * a part of it), `{ b: "text" }` bytes with one character each, `{ repeat: ["x", 108] }` text many times over, `{ path: 107 }`
 * a path of exactly that many bytes, and `{ float: 0.1 }` a number that is never an integer to Python. `{tmp}` in any text
 * is a folder of the probe's own. Arrays are Python's tuples.
 */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly b: string }
  | { readonly repeat: readonly [text: string, times: number] }
  | { readonly path: number }
  | { readonly float: number };

export type Step = readonly [call: string, ...args: Value[]];

export interface Probe {
  /** The behaviour group of CPython's socket module that it belongs to, B1 to B17, and what it looks at. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What a step came to. Both interpreters reduce their values and their errors to this. */
export type Result =
  | string
  | number
  | boolean
  | null
  | readonly Result[]
  | { readonly b: string }
  | { readonly socket: readonly number[] }
  | { readonly error: string; readonly number?: number };

/** A deliberate difference, shown by a probe whose last results are not the same: what each of the two is. */
export interface Difference {
  /** Its name in docs/differences-from-python.md. */
  readonly id: string;
  readonly steps: readonly Step[];
  readonly python: Result;
  readonly hawser: Result;
}

/** What an interpreter writes for each probe, a line of JSON each. */
export interface Outcome {
  readonly name: string;
  readonly results: readonly Result[];
}

/** Probes from a table of steps by name. */
export function group(name: string, table: Record<string, readonly Step[]>): Probe[] {
  return Object.entries(table).map(([title, steps]) => ({ name: `${name} ${title}`, steps }));
}

/** One probe of one step for each list of arguments. */
export function calls(name: string, call: string, ...lists: readonly (readonly Value[])[]): Probe[] {
  return lists.map((args) => ({
    name: `${name} ${call}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`,
    steps: [[call, ...args]],
  }));
}
