/** A message that comes in: read from the connection, held to the limits, and handed to the handler at the same time. */
import type { Decoder } from "../core/decoder.js";
import { BrokenError, LimitError } from "../core/errors.js";
import { Body } from "../engine/body.js";
import { formatTraceHeaders } from "./codec-trace.js";
import { Incoming } from "./server-incoming.js";
import { isRefusal, replies, reply, replyOf, replyOfError } from "./server-replies.js";
import type { Session } from "./server-session.js";
import { TextCheck } from "./server-text.js";
import type { SmtpReply } from "./types.js";
import type { SmtpAnswer, SmtpTransaction } from "./types-server.js";

/** One message, by DATA or by BDAT. */
export class Receiving {
  readonly #session: Session;
  readonly #envelope: SmtpTransaction;
  readonly #incoming: Incoming = new Incoming();
  readonly #check: TextCheck | undefined;
  readonly #outcome: Promise<readonly SmtpReply[]>;
  #settled: readonly SmtpReply[] | undefined;
  #bytes = 0;
  #refusal: SmtpReply | undefined;

  constructor(session: Session, envelope: SmtpTransaction) {
    this.#session = session;
    this.#envelope = envelope;
    this.#check = textCheck(session, envelope);
    if (session.settings.addTraceHeaders === true) this.#pushTraceHeaders();
    this.#outcome = this.#deliver();
  }

  #pushTraceHeaders(): void {
    const facts = { by: this.#session.settings.name, receivedAt: new Date() };
    void this.#incoming.push(Buffer.from(formatTraceHeaders(this.#envelope, this.#session, facts)));
  }

  /** Runs the handler. It never rejects. */
  async #deliver(): Promise<readonly SmtpReply[]> {
    const { handler } = this.#session.settings;
    try {
      const message = { envelope: this.#envelope, content: new Body(this.#incoming) };
      this.#settled = this.#spread(await handler.data?.(message, this.#session));
    } catch (error) {
      // The handler only passes on why its content ended early: that is not its failure.
      const own = this.#incoming.isFailure(error);
      this.#settled = this.#spread(own ? replies.failed : replyOfError(error, this.#session.onError));
    }
    this.#incoming.leave();
    return this.#settled;
  }

  /** A reply for each recipient. */
  #spread(answer: SmtpAnswer | readonly (SmtpAnswer | Error)[]): readonly SmtpReply[] {
    const { to } = this.#envelope;
    if (!Array.isArray(answer)) {
      const same = replyOf(answer as SmtpAnswer, replies.accepted);
      return to.map(() => same);
    }
    if (answer.length !== to.length)
      throw new RangeError(`the handler gave ${answer.length} answers for ${to.length} recipients`);
    return answer.map((one: SmtpAnswer | Error) =>
      one instanceof Error ? replyOfError(one, this.#session.onError) : replyOf(one, replies.accepted),
    );
  }

  /** Reads a block or a chunk to its end. Memory holds no more of it than the handler has not taken. */
  async take(decode: Decoder<Uint8Array | null>): Promise<void> {
    const before = this.#bytes;
    this.#session.clock.begin("the message", this.#session.settings.messageMs);
    try {
      for (;;) {
        const piece = await this.#session.receive(decode);
        if (piece === null) break;
        const taken = this.#see(piece);
        if (taken !== undefined) await taken;
      }
    } catch (error) {
      this.giveUp(error);
      throw error;
    }
    this.#session.clock.finish();
    this.#session.channel.tracer.note("C", `[${this.#bytes - before} bytes]`);
  }

  #see(piece: Uint8Array): Promise<void> | undefined {
    this.#bytes += piece.length;
    const { maxMessageBytes } = this.#session.settings;
    if (this.#bytes > maxMessageBytes) {
      this.#refuse(replies.tooLarge, new LimitError("the message", maxMessageBytes));
      return undefined;
    }
    this.#check?.see(piece);
    this.#refuseBrokenText();
    return this.#incoming.push(piece);
  }

  #refuseBrokenText(): void {
    const broken = this.#check?.broken;
    if (broken === undefined) return;
    const code = broken === "a line that is too long" ? 500 : 554;
    this.#refuse(
      reply(code, "5.6.0", `The message has ${broken}`),
      new BrokenError(`the message has ${broken}`),
    );
  }

  #refuse(refusal: SmtpReply, error: unknown): void {
    this.#refusal ??= refusal;
    this.#incoming.fail(error);
  }

  /** What is known already to be wrong with the message, before its end. */
  get early(): SmtpReply | undefined {
    return this.#refusal ?? this.#settled?.find(isRefusal);
  }

  /** The content is complete: what the handler says of it, for each recipient. */
  async finish(): Promise<readonly SmtpReply[]> {
    this.#check?.end();
    this.#refuseBrokenText();
    this.#incoming.end();
    const outcome = await this.#outcome;
    const refusal = this.#refusal;
    return refusal === undefined ? outcome : this.#envelope.to.map(() => refusal);
  }

  /** Gives the message up, and waits until the handler has taken notice. */
  async cancel(): Promise<void> {
    this.giveUp();
    await this.#outcome;
  }

  /** The content will not become complete: by RSET, or because the connection is over. */
  giveUp(cause?: unknown): void {
    this.#incoming.fail(
      new BrokenError("the client gave up the message", cause === undefined ? {} : { cause }),
    );
  }
}

function textCheck({ settings }: Session, { body }: SmtpTransaction): TextCheck | undefined {
  const refuseBareLineEnds = settings.bareLineEnds === "refuse";
  const maxLineBytes = settings.maxTextLineBytes;
  // RFC 3030 section 3: a binary message has no lines.
  if (body === "binarymime" || (!refuseBareLineEnds && maxLineBytes === Number.POSITIVE_INFINITY))
    return undefined;
  return new TextCheck({ refuseBareLineEnds, maxLineBytes });
}
