/** What a command is to the connection: what it sends, which responses are its own, and what comes of it. */
import type { OpOptions } from "../core/deadline.js";
import { DeadlineError, HawserError } from "../core/errors.js";
import type { Effects } from "./client-effects.js";
import type { LiteralSink } from "./client-literal.js";
import type { LiteralEvent } from "./codec-framer.js";
import type { CommandPart } from "./codec-parts.js";
import { ImapError } from "./errors.js";
import type { ContinuationResponse, ImapResponse, StatusResponse } from "./types-response.js";

/** A command. The methods are called while bytes are being decoded: they must not wait, and may throw a `HawserError`. */
export interface Command<T> {
  /** As it stands in errors: `UID FETCH`. */
  readonly name: string;
  readonly parts: readonly CommandPart[];
  readonly effects: Effects;
  /** Takes an untagged response that is this command's own. `bytes` is what it weighs. */
  take?(response: ImapResponse, bytes: number): boolean;
  /** A `+` that asks for no literal. */
  continued?(response: ContinuationResponse): void;
  /** Where a literal that is too large to be held goes, if it is this command's. */
  literal?(event: LiteralEvent): LiteralSink | undefined;
  /** It keeps count itself of what it holds. */
  readonly ownAccount?: boolean;
  /** Whether somebody waits for this command to go on. Default: yes. */
  waits?(): boolean;
  /** Another command waits for this one, which would go on by itself (IDLE). */
  interrupt?(): void;
  /** Given, the connection stays as it is when the caller aborts, and this ends the command. */
  abort?(): void;
  /** Whether the silence of the server counts: not while IDLE is idle. Default: yes. */
  silent?(): boolean;
  /** What the caller gets for OK. */
  done(status: StatusResponse): T;
  /** What the caller gets for NO and BAD. Default: an {@link ImapError}. */
  refused?(status: StatusResponse): unknown;
  /** Runs before the command is over and before another byte is decoded: TLS, COMPRESS. */
  switchOver?(): Promise<void>;
}

/** A command that was handed to the connection. */
export class Pending<T = unknown> {
  readonly command: Command<T>;
  readonly promise: Promise<T>;
  tag = "";
  /** Its bytes have left, all of them or those up to a literal that waits for a `+`. */
  left = false;
  /** All of it is sent. */
  sent = false;
  /** The weight of the responses that it holds. */
  heldBytes = 0;
  /** Settles a wait for `+`: whether to go on sending. */
  proceed: ((goOn: boolean) => void) | undefined;
  settled = false;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #forget: (() => void) | undefined;

  constructor(command: Command<T>) {
    this.command = command;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Calls `give up` when the signal or the clock of the caller says so. */
  watch(options: OpOptions, giveUp: (reason: unknown) => void): void {
    const { signal, timeoutMs } = options;
    if (signal === undefined && timeoutMs === undefined) return;
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const late = (): void => giveUp(new DeadlineError(this.command.name, timeoutMs ?? 0));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, Math.min(timeoutMs, 0x7fffffff));
    this.#forget = () => {
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
    };
  }

  /** The server's word. */
  finish(status: StatusResponse): void {
    try {
      if (status.status === "OK") this.resolve(this.command.done(status));
      else this.reject(this.command.refused?.(status) ?? refusalOf(status, this.command.name));
    } catch (error) {
      this.reject(error);
      if (!(error instanceof HawserError)) throw error;
    }
  }

  resolve(value: T): void {
    this.#over();
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.#over();
    this.#reject(error);
  }

  #over(): void {
    this.settled = true;
    this.#forget?.();
    this.#forget = undefined;
    this.proceed?.(false);
  }
}

/** NO or BAD as an error. */
export function refusalOf(status: StatusResponse, command: string): ImapError {
  const word = status.status === "NO" ? "NO" : "BAD";
  return new ImapError({ status: word, code: status.code, text: status.text }, command);
}
