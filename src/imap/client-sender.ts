/** The writing half of a connection: small commands joined into one write, literals in turn with their `+`. */
import { HawserError, LocalProtocolError } from "../core/errors.js";
import type { Pending } from "./client-command.js";
import { type CommandSegment, type FormatOptions, formatCommand } from "./codec-command.js";

/** What the sender stands on. */
export interface SenderBase {
  write(data: Uint8Array): Promise<void>;
  /** The connection cannot go on: half a command is on the wire. */
  failed(error: unknown): void;
}

/** Pieces are joined until they have this size. */
const writeBytes = 65_536;

export class CommandSender {
  readonly #base: SenderBase;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Commands whose bytes are among the pieces. */
  #leaving: Pending[] = [];
  #scheduled = false;
  #current: Pending | undefined;
  #stopped: { readonly error: unknown } | undefined;

  constructor(base: SenderBase) {
    this.#base = base;
  }

  /** A command is half sent: no other may begin. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Sends a command, or begins to; `onDone` is told when the last byte of one with literals has left. Returns the line
   * for traces.
   *
   * @throws {LocalProtocolError} it cannot be sent. Nothing was.
   */
  send(pending: Pending, options: FormatOptions, onDone: () => void): string {
    const { segments, shown } = formatCommand(pending.tag, pending.command.parts, options);
    const [only] = segments;
    if (segments.length === 1 && only?.type === "bytes") {
      this.#leaving.push(pending);
      this.raw(only.bytes);
    } else {
      this.#current = pending;
      void this.#sendAll(pending, segments).then(onDone);
    }
    return shown;
  }

  /** Sends bytes as they are, with whatever else this turn sends. */
  raw(bytes: Uint8Array): void {
    this.#add(bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush().catch((error: unknown) => this.#base.failed(error)));
  }

  #add(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    for (const pending of this.#leaving.splice(0)) {
      pending.left = true;
      pending.sent = true;
    }
    const [only] = this.#pieces;
    if (only === undefined || this.#stopped !== undefined) return;
    const data = this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    await this.#base.write(data);
  }

  async #sendAll(pending: Pending, segments: readonly CommandSegment[]): Promise<void> {
    try {
      for (const segment of segments) {
        if (segment.type === "wait") {
          if (!(await this.#waitForPlus(pending))) return;
        } else if (segment.type === "bytes") await this.#gather(pending, segment.bytes);
        else await this.#stream(pending, segment);
      }
      // Before the write: its answer may be here before the promise says that there is room for more.
      pending.left = true;
      pending.sent = true;
      await this.#flush();
    } catch (error) {
      pending.reject(error);
      this.#base.failed(error);
    } finally {
      this.#current = undefined;
    }
  }

  async #gather(pending: Pending, bytes: Uint8Array): Promise<void> {
    this.#add(bytes);
    if (this.#bytes < writeBytes) return;
    pending.left = true;
    await this.#flush();
  }

  /** False: the server has refused the command in place of asking for its literal. */
  async #waitForPlus(pending: Pending): Promise<boolean> {
    pending.left = true;
    const answer = new Promise<boolean>((resolve) => {
      pending.proceed = resolve;
    });
    await this.#flush();
    const goOn = await answer;
    pending.proceed = undefined;
    if (this.#stopped !== undefined) throw this.#stopped.error;
    return goOn;
  }

  /** `+` has come: whether somebody waited for it. */
  proceed(): boolean {
    const proceed = this.#current?.proceed;
    proceed?.(true);
    return proceed !== undefined;
  }

  async #stream(
    pending: Pending,
    { octets, stream }: Extract<CommandSegment, { type: "stream" }>,
  ): Promise<void> {
    let sent = 0;
    for await (const piece of readable(stream)) {
      if (this.#stopped !== undefined) throw this.#stopped.error;
      sent += piece.length;
      if (sent > octets) throw wrongSize(octets, "more");
      await this.#gather(pending, piece);
    }
    if (sent < octets) throw wrongSize(octets, `only ${sent}`);
  }

  /** The connection is over. */
  stop(error: unknown): void {
    this.#stopped = { error };
    this.#pieces = [];
    this.#bytes = 0;
    this.#current?.proceed?.(false);
  }
}

/** A source that breaks leaves half a literal on the wire: its error says so. */
async function* readable(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (cause) {
    if (cause instanceof HawserError) throw cause;
    throw new LocalProtocolError("the source of a literal failed", { cause, sent: "yes", usable: false });
  }
}

function wrongSize(octets: number, had: string): LocalProtocolError {
  return new LocalProtocolError(`a source was said to have ${octets} octets and has ${had}`, {
    ...{ sent: "yes", usable: false },
  });
}
