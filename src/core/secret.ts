/** Passwords and tokens on their way to the wire. */
import { inspect } from "node:util";

const shown = "[secret]";

/**
 * A value that must reach the wire and nothing else: whatever prints, logs or serialises it gets `[secret]`.
 *
 * @example
 * ```ts
 * const password = new Secret("tiger");
 * `${password}`; // "[secret]"
 * password.reveal(); // "tiger"
 * ```
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. */
  reveal(): string {
    return this.#value;
  }

  /** Always `[secret]`. */
  toString(): string {
    return shown;
  }

  /** Always `[secret]`. */
  toJSON(): string {
    return shown;
  }

  static {
    Object.defineProperty(Secret.prototype, inspect.custom, { value: () => shown });
  }
}

/** The text of a secret or of a plain string. */
export function reveal(value: string | Secret): string {
  return typeof value === "string" ? value : value.reveal();
}
