/**
 * FETCH: messages as they come (RFC 9051 section 6.4.5).
 *
 * The command is sent at once. Results that nobody has taken yet are held until they weigh 2 MiB; then the connection
 * stops reading. If another command waits for its answer, reading goes on, and up to `maxHeldBytes` is held; what comes
 * beyond that is let go, and asked for again once the reader has caught up. So memory is bounded, and nothing ever
 * waits for itself.
 */
import { type LimitError, RemoteProtocolError } from "../core/errors.js";
import type { Command } from "./client-command.js";
import type { Connection } from "./client-connection.js";
import { effectsOf } from "./client-effects.js";
import { AnswerBuilder } from "./client-fetch-answer.js";
import { AskedItems } from "./client-fetch-items.js";
import type { FetchOptions } from "./client-fetch-types.js";
import type { LiteralSink } from "./client-literal.js";
import { type ChosenSet, isChosen, isSaved } from "./client-set.js";
import { type FetchLiteral, parseFetchLiteral } from "./codec-fetch.js";
import { fetchItemsPart, formatPartialRange } from "./codec-fetch-items.js";
import type { LiteralEvent } from "./codec-framer.js";
import { atom, type CommandPart, list, number, set as setPart } from "./codec-parts.js";
import { UidSet } from "./codec-sequence-set.js";
import type { FetchAttributes } from "./types-message.js";
import type { FetchResponse, ImapResponse } from "./types-response.js";

/** Reading stops while more than this waits for the reader. */
const fullBytes = 2 * 1_048_576;
const done = { done: true, value: undefined } as const;

/** What a FETCH needs to know besides its options. */
export interface FetchRequest {
  readonly connection: Connection;
  readonly chosen: ChosenSet;
  readonly items: readonly string[];
  /** How many messages the mailbox has. */
  readonly exists: () => number;
  readonly options: FetchOptions;
}

/**
 * The messages of a FETCH, to be gone through once. Other commands may be given within the loop. Leaving the loop early
 * lets the rest go, and the connection can be used at once.
 *
 * @example
 * ```ts
 * for await (const { uid, envelope } of mailbox.fetch("1:*", ["ENVELOPE"])) console.log(uid, envelope.subject);
 * ```
 */
export class FetchStream<Message> implements AsyncIterableIterator<Message> {
  readonly #request: FetchRequest;
  readonly #asked: AskedItems;
  readonly #answers: AnswerBuilder<Message>;
  #items: (Message | undefined)[] = [];
  #at = 0;
  #heldBytes = 0;
  #waiter: { resolve(result: IteratorResult<Message>): void; reject(error: unknown): void } | undefined;
  #running = false;
  #abandoned = false;
  #end: { readonly error: unknown } | undefined;
  /** UIDs whose answers were let go: they are asked for again. */
  #dropped: number[] = [];
  #answered = 0;
  #vanished: UidSet = UidSet.empty;

  /** @internal Made by {@link Mailbox.fetch}. */
  constructor(request: FetchRequest) {
    this.#request = request;
    this.#asked = new AskedItems(request.items);
    this.#answers = new AnswerBuilder(this.#asked, {
      ...{ as: request.options.as ?? "bytes", maxBytes: request.options.maxBytes ?? 32 * 1_048_576 },
      ...{
        maxHeldBytes: request.connection.bounds.maxHeldBytes,
        onRoom: () => request.connection.roomChanged(),
      },
      failed: (error) => this.#fail(error),
    });
    const { chosen } = request;
    const nothing = (chosen.set.isEmpty && !isSaved(chosen.set)) || (!chosen.uid && request.exists() === 0);
    if (nothing) this.#end = { error: undefined };
    else this.#send(chosen, modifiers(request.options));
  }

  /** With `vanished`: the UIDs that are gone since `changedSince` (RFC 7162 section 3.2.6). Complete at the end. */
  get vanished(): UidSet {
    return this.#vanished;
  }

  /** The next message. One that streams a section of the message before lets the rest of it go. */
  next(): Promise<IteratorResult<Message>> {
    this.#answers.moveOn();
    const at = this.#at;
    if (at < this.#items.length) {
      const value = this.#items[at] as Message;
      this.#items[at] = undefined;
      this.#answers.handedOut(value);
      this.#at = at + 1;
      if (this.#at === this.#items.length) this.#emptied();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#running && this.#dropped.length > 0) this.#askAgain();
    if (this.#end !== undefined && !this.#running) return this.#ended();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#request.connection.roomChanged();
    });
  }

  #ended(): Promise<IteratorResult<Message>> {
    const error = this.#end?.error;
    if (error === undefined) return Promise.resolve(done);
    this.#end = { error: undefined };
    return Promise.reject(error);
  }

  /** Leaves the loop: what is still to come is read and dropped. */
  return(): Promise<IteratorResult<Message>> {
    this.#abandoned = true;
    this.#dropped = [];
    this.#items = [];
    this.#at = 0;
    this.#heldBytes = 0;
    this.#answers.abandon();
    this.#waiter?.resolve(done);
    this.#waiter = undefined;
    this.#end ??= { error: undefined };
    this.#request.connection.roomChanged();
    return Promise.resolve(done);
  }

  /** Itself: it can be gone through once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** All messages, held in memory. Not for `as: "stream"`. */
  async all(): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      for (let at = this.#at; at < this.#items.length; at += 1) messages.push(this.#items[at] as Message);
      this.#emptied();
      const { done: over, value } = await this.next();
      if (over === true) return messages;
      messages.push(value);
    }
  }

  /** @internal Whether reading should stop for this. */
  get full(): boolean {
    return this.#heldBytes > fullBytes;
  }

  #emptied(): void {
    this.#items = [];
    this.#at = 0;
    const wasFull = this.full;
    this.#heldBytes = 0;
    if (wasFull) this.#request.connection.roomChanged();
  }

  #send(chosen: ChosenSet, modifierParts: readonly CommandPart[]): void {
    this.#running = true;
    const { signal, timeoutMs } = this.#request.options;
    this.#request.connection.run(this.#command(chosen, modifierParts), { signal, timeoutMs }).then(
      () => this.#over(undefined),
      (error: unknown) => this.#over(error),
    );
  }

  #askAgain(): void {
    const set = UidSet.of(this.#dropped.splice(0));
    this.#end = undefined;
    this.#send({ set, uid: true }, []);
  }

  #command(chosen: ChosenSet, modifierParts: readonly CommandPart[]): Command<void> {
    const { uid, set } = chosen;
    const details = { ...this.#asked.effects, uid, readsSaved: isSaved(set) };
    return {
      name: uid ? "UID FETCH" : "FETCH",
      parts: [
        ...(uid ? [atom("UID")] : []),
        ...[atom("FETCH"), setPart(set), fetchItemsPart(this.#asked.items)],
        ...modifierParts,
      ],
      effects: effectsOf("FETCH", details),
      ownAccount: true,
      take: (response, bytes) => this.#take(chosen, response, bytes),
      literal: (event) => this.#literal(chosen, event),
      waits: () => this.#waiter !== undefined || this.#answers.waits,
      done: () => {},
    };
  }

  #take(chosen: ChosenSet, response: ImapResponse, bytes: number): boolean {
    if (response.type === "vanished" && response.earlier && this.#request.options.vanished === true) {
      this.#vanished = this.#vanished.union(response.uids);
      return true;
    }
    if (response.type !== "fetch" || !this.#isMine(chosen, response.sequence, response.attributes))
      return false;
    this.#countAnswer();
    if (this.#abandoned) this.#request.connection.bounds.drained(bytes);
    else this.#answer(response, bytes);
    return true;
  }

  /** Whether the response answers this command, and is not news that the server tells on its own. */
  #isMine(chosen: ChosenSet, sequence: number | undefined, attributes: FetchAttributes): boolean {
    if (!isChosen(chosen, { sequence, uid: attributes.uid }, this.#request.exists())) return false;
    return this.#asked.isComplete(attributes) || this.#asked.isTelling(attributes);
  }

  /** @throws {RemoteProtocolError} there are far more answers than messages. */
  #countAnswer(): void {
    this.#answered += 1;
    if (this.#answered > 1_000 + 4 * this.#request.exists())
      throw new RemoteProtocolError("a FETCH has more answers than there are messages");
  }

  #answer(response: FetchResponse, bytes: number): void {
    const { uid } = response.attributes;
    if (this.#holdsTooMuch && uid !== undefined && !this.#answers.isLive) {
      this.#dropped.push(uid);
      this.#answers.forget();
      return;
    }
    const message = this.#answers.complete(response);
    if (message !== undefined) this.#deliver(message, bytes);
  }

  get #holdsTooMuch(): boolean {
    return this.#heldBytes > this.#request.connection.bounds.maxHeldBytes;
  }

  #deliver(message: Message, bytes: number): void {
    if (this.#waiter !== undefined) {
      this.#answers.handedOut(message);
      this.#waiter.resolve({ done: false, value: message });
      this.#waiter = undefined;
      return;
    }
    this.#items.push(message);
    this.#heldBytes += bytes;
    if (this.full) this.#request.connection.markFull(this);
  }

  /** A large section arrives: it is gathered, or streams to whoever reads the message. */
  #literal(chosen: ChosenSet, event: LiteralEvent): LiteralSink | undefined {
    const found = parseFetchLiteral(event, { utf8: this.#request.connection.state.utf8 });
    if (found === undefined || !this.#wants(chosen, found)) return undefined;
    if (this.#abandoned || (this.#holdsTooMuch && !this.#answers.isLive)) return undefined;
    const { sink, message } = this.#answers.literal(event, found);
    if (message !== undefined) this.#deliver(message, 0);
    return sink;
  }

  /** The UID may stand behind the literal: then the first command that asks for such a section has it. */
  #wants(chosen: ChosenSet, { sequence, attributes }: FetchLiteral): boolean {
    if (chosen.uid && attributes.uid === undefined) return true;
    return isChosen(chosen, { sequence, uid: attributes.uid }, this.#request.exists());
  }

  #over(error: unknown): void {
    this.#running = false;
    if (error === undefined && !this.#abandoned)
      for (const message of this.#answers.leftovers()) this.#deliver(message, 0);
    if (error !== undefined) this.#answers.fail(error);
    this.#end ??= { error };
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    this.next().then(waiter.resolve, waiter.reject);
  }

  /** Something of the answers is too large: the loop ends with it, the connection goes on. */
  #fail(error: LimitError): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    void this.return();
    this.#end = { error };
    if (waiter === undefined) return;
    this.#end = { error: undefined };
    waiter.reject(error);
  }
}

/** fetch-modifiers */
function modifiers({ changedSince, vanished, partial }: FetchOptions): CommandPart[] {
  const parts = [
    ...(changedSince === undefined ? [] : [atom("CHANGEDSINCE"), number(changedSince)]),
    ...(vanished === true ? [atom("VANISHED")] : []),
    ...(partial === undefined ? [] : [atom("PARTIAL"), atom(formatPartialRange(partial))]),
  ];
  return parts.length === 0 ? [] : [list(...parts)];
}
