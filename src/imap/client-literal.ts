/** Literals that are too large to be held: where they go while they arrive. */
import { LimitError } from "../core/errors.js";
import { Body } from "../engine/body.js";

/** Takes the octets of one literal as they arrive. */
export interface LiteralSink {
  push(piece: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
  /** Whether so much waits for the reader that reading should stop. */
  readonly full: boolean;
  /** Whether nobody will get what arrives. */
  readonly discards: boolean;
  /** Whether its reader gets the octets as they come, however many. */
  readonly streams: boolean;
}

/** Throws the octets away. */
export class Discarded implements LiteralSink {
  readonly full: boolean = false;
  readonly discards: boolean = true;
  readonly streams: boolean = false;
  push(): void {}
  end(): void {}
  fail(): void {}
}

/** Gathers a literal that was asked for as bytes, up to a cap. */
export class Gathered implements LiteralSink {
  readonly full: boolean = false;
  readonly streams: boolean = false;
  readonly #maxBytes: number;
  readonly #onEnd: (data: Uint8Array | LimitError) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number, onEnd: (data: Uint8Array | LimitError) => void) {
    this.#maxBytes = maxBytes;
    this.#onEnd = onEnd;
  }

  get discards(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  push(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  end(): void {
    if (this.#bytes > this.#maxBytes)
      this.#onEnd(new LimitError("a section", this.#maxBytes, { usable: true }));
    else this.#onEnd(joined(this.#pieces, this.#bytes));
    this.#pieces = [];
  }

  fail(): void {
    this.#pieces = [];
  }
}

const fullBytes = 262_144;

/** A literal that is handed out as a stream. */
export class LiveLiteral implements LiteralSink {
  readonly streams: boolean = true;
  /** What its reader gets. */
  readonly body: Body;
  readonly #onRoom: () => void;
  readonly #maxHeldBytes: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #abandoned = false;
  #failure: { readonly error: unknown } | undefined;
  #waiter: { resolve(piece: Uint8Array | null): void; reject(error: unknown): void } | undefined;

  /** `onRoom` is told when the reader has taken what was there, or lets the rest go. */
  constructor(maxHeldBytes: number, onRoom: () => void) {
    this.#maxHeldBytes = maxHeldBytes;
    this.#onRoom = onRoom;
    this.body = new Body({ next: () => this.#next(), abandon: () => Promise.resolve(this.abandon()) });
  }

  get full(): boolean {
    return this.#bytes > fullBytes;
  }

  get discards(): boolean {
    return this.#abandoned || this.#failure !== undefined;
  }

  /** Somebody waits for a piece. */
  get waits(): boolean {
    return this.#waiter !== undefined;
  }

  push(piece: Uint8Array): void {
    if (this.#abandoned || this.#failure !== undefined) return;
    if (this.#waiter !== undefined) {
      this.#waiter.resolve(piece);
      this.#waiter = undefined;
      return;
    }
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    // Only when another command waits does it come to this: reading has not stopped for this body.
    if (this.#bytes > this.#maxHeldBytes)
      this.#drop(new LimitError("an unread body, with another command waiting", this.#maxHeldBytes));
  }

  end(): void {
    this.#ended = true;
    this.#waiter?.resolve(null);
    this.#waiter = undefined;
  }

  fail(error: unknown): void {
    if (!this.#ended) this.#drop(error);
  }

  /** Lets the rest go. */
  abandon(): void {
    this.#abandoned = true;
    this.#pieces = [];
    this.#bytes = 0;
    this.#onRoom();
  }

  #drop(error: unknown): void {
    this.#failure = { error };
    this.#pieces = [];
    this.#bytes = 0;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
  }

  #next(): Promise<Uint8Array | null> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#bytes -= piece.length;
      if (this.#bytes <= fullBytes) this.#onRoom();
      return Promise.resolve(piece);
    }
    if (this.#ended) return Promise.resolve(null);
    const next = new Promise<Uint8Array | null>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    this.#onRoom();
    return next;
  }
}

/** A body that is there already. */
export function heldBody(data: Uint8Array | null): Body {
  let left: Uint8Array | null = data === null || data.length === 0 ? null : data;
  const next = (): Promise<Uint8Array | null> => {
    const piece = left;
    left = null;
    return Promise.resolve(piece);
  };
  return new Body({ next, abandon: () => Promise.resolve() });
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
