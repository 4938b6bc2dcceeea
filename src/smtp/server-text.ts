/** Rules about a message's lines that a server may hold its clients to, besides that only CR LF . CR LF ends one. */

const cr = 0x0d;
const lf = 0x0a;

/** What a server asks of lines. */
export interface TextRules {
  readonly refuseBareLineEnds: boolean;
  /** With the CR LF. */
  readonly maxLineBytes: number;
}

/** Looks at a message as it passes. */
export class TextCheck {
  readonly #rules: TextRules;
  #lineBytes = 0;
  #afterCr = false;
  /** The first rule that was broken. */
  broken: "a bare CR or LF" | "a line that is too long" | undefined;

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  see(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && this.broken === undefined; ) {
      if (this.#afterCr) at += this.#behindCr(piece[at]);
      else at = this.#toLineEnd(piece, at);
      if (this.#lineBytes > this.#rules.maxLineBytes) this.broken = "a line that is too long";
    }
  }

  /** The byte behind a CR: an LF ends the line. */
  #behindCr(byte: number | undefined): number {
    this.#afterCr = false;
    if (byte === lf) this.#lineBytes = 0;
    else if (this.#rules.refuseBareLineEnds) this.broken = "a bare CR or LF";
    return byte === lf ? 1 : 0;
  }

  #toLineEnd(piece: Uint8Array, from: number): number {
    const back = piece.indexOf(cr, from);
    const end = back < 0 ? piece.length : back;
    if (this.#rules.refuseBareLineEnds) {
      const bare = piece.indexOf(lf, from);
      if (bare >= 0 && bare < end) this.broken = "a bare CR or LF";
    }
    // The CR's LF is counted with it.
    this.#lineBytes += end - from + (back < 0 ? 0 : 2);
    this.#afterCr = back >= 0;
    return back < 0 ? end : end + 1;
  }

  /** The message is complete. */
  end(): void {
    if (this.#afterCr && this.#rules.refuseBareLineEnds) this.broken ??= "a bare CR or LF";
  }
}
