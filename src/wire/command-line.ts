/** Command lines: a verb and its arguments, none of which can end the line early. */
import { LocalProtocolError } from "../core/errors.js";
import { reveal, type Secret } from "../core/secret.js";

/** A command as it goes onto the wire, and as it may be shown. */
export interface CommandLine {
  /** The line with its CR LF. */
  readonly wire: string;
  /** The line without its end, secrets masked. */
  readonly shown: string;
}

/**
 * A command of a verb and arguments that are not empty, separated by single spaces.
 *
 * @throws {LocalProtocolError} an argument holds CR, LF or NUL: it would be a command of its own, or be cut short.
 *
 * @example
 * ```ts
 * commandLine("PASS", new Secret("tiger")); // { wire: "PASS tiger\r\n", shown: "PASS [secret]" }
 * ```
 */
export function commandLine(verb: string, ...args: readonly (string | Secret)[]): CommandLine {
  let wire = checkedArgument(verb, verb);
  let shown = wire;
  for (const argument of args) {
    const value = checkedArgument(reveal(argument), verb);
    if (value === "") continue;
    wire += ` ${value}`;
    shown += ` ${argument}`;
  }
  return { wire: `${wire}\r\n`, shown };
}

/** Lone surrogates have no UTF-8: they would reach the wire as something else. */
const forbidden = /[\0\r\n]|\p{Surrogate}/u;

/**
 * The text itself, if it can stand in a command line.
 *
 * @throws {LocalProtocolError} it holds CR, LF, NUL or half a character. The text itself is not shown: it may be a secret.
 */
export function checkedArgument(text: string, command: string): string {
  if (!forbidden.test(text)) return text;
  throw new LocalProtocolError(`an argument of ${printable(command)} holds CR, LF, NUL or half a character`);
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 32)).slice(1, -1);
}
