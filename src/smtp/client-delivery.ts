/**
 * Messages on their way through one connection, in order. With PIPELINING (RFC 2920) an envelope is one write, and the next
 * message's envelope rides behind a body: a message then costs one round trip.
 */
import { Deadline, type OpOptions } from "../core/deadline.js";
import {
  BrokenError,
  ClosedError,
  DeadlineError,
  LimitError,
  LocalProtocolError,
  UnsupportedError,
} from "../core/errors.js";
import { chunksOf } from "../core/source.js";
import type { CommandChannel } from "../engine/command-channel.js";
import { type CommandLine, commandLine } from "../wire/command-line.js";
import { LineEndEncoder } from "../wire/line-ends.js";
import { formatBdat, formatMail, formatRcpt } from "./codec.js";
import { formatPath } from "./codec-path.js";
import { queueIdOf } from "./codec-reply.js";
import { type Content, contentOf, type Message } from "./content.js";
import { SmtpError } from "./errors.js";
import type {
  MailOptions,
  SendResult,
  SmtpEnvelope,
  SmtpExtensions,
  SmtpRecipient,
  SmtpReply,
} from "./types.js";

/** RFC 5321 section 4.5.3.2, in milliseconds. */
export interface SmtpTimeouts {
  /** For MAIL and RCPT: 5 minutes. */
  readonly replyMs: number;
  /** For the 354 of DATA: 2 minutes. */
  readonly dataMs: number;
  /** For the reply to the whole message: 10 minutes. */
  readonly finalMs: number;
}

/** How one message is sent, besides its envelope. */
export interface SendOptions extends OpOptions {
  /** DATA (default), or BDAT of RFC 3030 where the server offers CHUNKING. A binary message always takes BDAT. */
  readonly transfer?: "data" | "bdat" | undefined;
  /** Sends the message only if every recipient was accepted. Default: to those that were. */
  readonly allOrNothing?: boolean | undefined;
}

/** What the client lends to a delivery. */
export interface DeliveryContext {
  readonly channel: CommandChannel<SmtpReply>;
  readonly extensions: SmtpExtensions;
  readonly lmtp: boolean;
  readonly timeouts: SmtpTimeouts;
}

const data: CommandLine = commandLine("DATA");
const rset: CommandLine = commandLine("RSET");
/** A message that is smaller is one write, its end included. */
const oneWriteBytes = 65_536;
/** Chunks of a message that is a stream. */
const chunkBytes = 262_144;
const encoder: TextEncoder = new TextEncoder();

interface Delivery {
  readonly from: string;
  readonly recipients: readonly SmtpRecipient[];
  readonly mail: CommandLine;
  readonly rcpts: readonly CommandLine[];
  readonly content: Content;
  readonly options: SendOptions;
  /** It began when the message was handed in. */
  readonly clock: Deadline;
  /** How the body is declared: an 8-bit byte in a 7-bit message is refused. */
  readonly sevenBit: boolean;
  readonly bdat: boolean;
  readonly resolve: (result: SendResult) => void;
  readonly reject: (error: unknown) => void;
  /** Whether the envelope has been written, alone or behind the body before. */
  begun: boolean;
}

/** A message whose end was sent. */
interface Doubt {
  readonly delivery: Delivery;
  readonly accepted: readonly string[];
  /** For how many of them the reply has come. */
  answered: number;
}

/** The queue of one connection. */
export class DeliveryQueue {
  readonly #context: DeliveryContext;
  readonly #queue: Delivery[] = [];
  #running = false;
  #mails = 0;
  #doubt: Doubt | undefined;
  #bodySent = false;

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  /** The message that the server may have taken although its reply never came: sending it again may double it. */
  get inDoubt(): SmtpEnvelope | undefined {
    if (this.#doubt === undefined) return undefined;
    const { delivery, accepted, answered } = this.#doubt;
    const unanswered = new Set(accepted.slice(answered));
    return { from: delivery.from, to: delivery.recipients.filter(({ address }) => unanswered.has(address)) };
  }

  /** Takes a message into the queue. What cannot be sent is refused here, before a byte is written. */
  async add(envelope: SmtpEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    using clock = new Deadline("sending a message", options);
    clock.throwIfOver();
    let queued: Delivery | undefined;
    const outcome = new Promise<SendResult>((resolve, reject) => {
      queued = this.#prepare(envelope, contentOf(message), { options, clock, resolve, reject });
      this.#enqueue(queued);
    });
    // Under way, a message is ended together with its connection; one that waits is only taken out of the queue.
    if (options.signal !== undefined || options.timeoutMs !== undefined)
      clock.race(outcome).catch((reason: unknown) => this.#withdraw(queued, reason));
    return await outcome;
  }

  #enqueue(delivery: Delivery): void {
    if (!this.#running) this.#context.channel.throwIfUnusable();
    this.#queue.push(delivery);
    if (!this.#running) void this.#run();
  }

  #prepare(
    envelope: SmtpEnvelope,
    content: Content,
    call: Pick<Delivery, "options" | "clock" | "resolve" | "reject">,
  ): Delivery {
    const { extensions } = this.#context;
    const { options } = call;
    const recipients = recipientsOf(envelope);
    this.#checkLimits(recipients);
    const smtpUtf8 =
      content.eightBitHeader || recipients.some(({ address }) => formatPath(address).needsUtf8);
    const body = bodyOf(envelope, content, extensions);
    const mailOptions: MailOptions = { ...envelope, body };
    const mail = formatMail(
      envelope.from,
      mailOptions,
      { sizeOctets: content.sizeOctets, smtpUtf8 },
      extensions,
    );
    const rcpts = recipients.map((recipient) => formatRcpt(recipient, extensions));
    const bdat = body === "binarymime" || options.transfer === "bdat";
    if (bdat && !extensions.chunking)
      throw new UnsupportedError("CHUNKING", "the server does not offer CHUNKING, which BDAT needs");
    const sevenBit = body === undefined || body === "7bit";
    return {
      ...call,
      from: envelope.from,
      recipients,
      mail,
      rcpts,
      content,
      sevenBit,
      bdat,
      begun: false,
    };
  }

  /** RFC 9422 section 4. */
  #checkLimits(recipients: readonly SmtpRecipient[]): void {
    const { mailMax, rcptMax } = this.#context.extensions.limits;
    if (recipients.length === 0) throw new LocalProtocolError("a message has at least one recipient");
    const refuse = (what: string, max: number) => new LimitError(what, max, { sent: "no", usable: true });
    if (rcptMax !== undefined && rcptMax > 0 && recipients.length > rcptMax)
      throw refuse("the list of recipients that the server takes", rcptMax);
    if (mailMax !== undefined && mailMax > 0 && this.#mails + this.#queue.length >= mailMax)
      throw refuse("the number of messages that the server takes on a connection", mailMax);
  }

  /**
   * A message that waits leaves the queue, and the connection does not notice. Where its envelope rides already, the
   * connection ends when its turn comes; those before it are not disturbed.
   */
  #withdraw(delivery: Delivery | undefined, reason: unknown): void {
    const at = delivery === undefined ? -1 : this.#queue.indexOf(delivery);
    if (delivery === undefined || at < 1) return;
    if (!delivery.begun) this.#queue.splice(at, 1);
    delivery.reject(reason);
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { channel } = this.#context;
    // The last message is settled when the connection is free again: whoever waits for it may use it at once.
    let settle = (): void => {};
    try {
      await channel.exclusive("sending a message", async () => {
        for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
          settle();
          settle = await this.#deliver(next);
          this.#queue.shift();
        }
      });
    } catch (error) {
      settle();
      this.#abandon(error);
    } finally {
      this.#running = false;
      settle();
      // One may have come in while the last one settled.
      if (this.#queue.length > 0) void this.#run();
    }
  }

  /** The connection is over: the message that was under way gets the reason, and the others learn that they were not sent. */
  #abandon(error: unknown): void {
    const [current, ...waiting] = this.#queue.splice(0);
    current?.reject(error);
    for (const { reject } of waiting)
      reject(
        new BrokenError("the connection ended before this message was sent", { cause: error, sent: "no" }),
      );
  }

  /** One message. Returns what settles its promise, and throws only what ends the connection. */
  async #deliver(delivery: Delivery): Promise<() => void> {
    this.#bodySent = false;
    this.#doubt = undefined;
    try {
      const result = await this.#transact(delivery);
      return () => delivery.resolve(result);
    } catch (error) {
      const told = await this.#context.channel.failed(this.#explained(error));
      if (this.#context.channel.closed) throw told;
      // A body ends its transaction, whatever the server says to it.
      if (!this.#bodySent) await this.#reset(delivery, told);
      return () => delivery.reject(told);
    }
  }

  /** Whatever ends the connection says whether the message may have been accepted, and why where the server did. */
  #explained(error: unknown): unknown {
    const sent = this.#doubt === undefined ? "no" : "perhaps";
    const { lastWords } = this.#context.channel;
    if (error instanceof BrokenError && lastWords !== undefined && isRefusal(lastWords)) {
      this.#doubt = undefined;
      return new SmtpError(lastWords, { command: "the message", usable: false });
    }
    if (error instanceof DeadlineError)
      return new DeadlineError(error.what, error.limitMs, { cause: error, sent });
    if (error instanceof ClosedError) return new ClosedError(error.message, { cause: error, sent });
    if (!(error instanceof BrokenError) || sent === "perhaps") return error;
    return new BrokenError(`${error.message} (the message was not accepted)`, { cause: error, sent });
  }

  /** After a transaction that came to nothing, the next MAIL would be out of order. */
  async #reset(delivery: Delivery, reason: unknown): Promise<void> {
    const { channel, timeouts } = this.#context;
    try {
      await delivery.clock.race(channel.call(rset, { timeoutMs: timeouts.replyMs }));
    } catch (error) {
      delivery.reject(reason);
      throw error;
    }
  }

  async #transact(delivery: Delivery): Promise<SendResult> {
    const { clock } = delivery;
    this.#mails += 1;
    const { accepted, rejected, ready } = await this.#sendEnvelope(delivery, clock);
    const refusal = rejected[0];
    const wanted = delivery.options.allOrNothing === true ? delivery.recipients.length : 1;
    if (accepted.length < wanted && refusal !== undefined) {
      if (ready?.code === 354) await this.#sendNothing(clock);
      throw new SmtpError(refusal.reply, { command: "RCPT", recipient: refusal.address });
    }
    const doubt: Doubt = { delivery, accepted, answered: 0 };
    if (delivery.bdat) return this.#result(accepted, rejected, await this.#sendChunks(doubt));
    if (ready?.code !== 354) throw new SmtpError(ready ?? noReply, { command: "DATA" });
    await this.#sendBody(doubt);
    return this.#result(accepted, rejected, await this.#finalReplies(doubt));
  }

  /** MAIL, every RCPT and, where all may go in one write, DATA. Throws when MAIL is refused. */
  async #sendEnvelope(delivery: Delivery, clock: Deadline): Promise<EnvelopeOutcome> {
    const pipelined = this.#pipelines(delivery);
    if (pipelined && !delivery.begun) await this.#context.channel.send(...envelopeLines(delivery));
    delivery.begun = true;
    const mail = await this.#step(delivery.mail, pipelined, clock);
    const accepted: string[] = [];
    const rejected: { address: string; reply: SmtpReply }[] = [];
    if (isRefusal(mail) && !pipelined) throw new SmtpError(mail, { command: delivery.mail.shown });
    for (const [index, line] of delivery.rcpts.entries()) {
      const reply = await this.#step(line, pipelined, clock);
      const address = delivery.recipients[index]?.address ?? "";
      if (isRefusal(reply)) rejected.push({ address, reply });
      else accepted.push(address);
    }
    const ready = await this.#readyForData(delivery, pipelined, accepted.length, clock);
    if (isRefusal(mail)) {
      if (ready?.code === 354) await this.#sendNothing(clock);
      throw new SmtpError(mail, { command: delivery.mail.shown });
    }
    return { accepted, rejected, ready };
  }

  async #readyForData(
    delivery: Delivery,
    pipelined: boolean,
    accepted: number,
    clock: Deadline,
  ): Promise<SmtpReply | undefined> {
    if (delivery.bdat) return undefined;
    if (pipelined) return await this.#reply("DATA", this.#context.timeouts.dataMs, clock);
    const wanted = delivery.options.allOrNothing === true ? delivery.recipients.length : 1;
    if (accepted < wanted) return undefined;
    await this.#context.channel.send(data);
    return await this.#reply("DATA", this.#context.timeouts.dataMs, clock);
  }

  /** RFC 2920 section 3.1: MAIL, RCPT and DATA may share a write. All or nothing must see the replies before DATA. */
  #pipelines({ options }: Delivery): boolean {
    return this.#context.extensions.pipelining && options.allOrNothing !== true;
  }

  async #step(line: CommandLine, sent: boolean, clock: Deadline): Promise<SmtpReply> {
    if (!sent) await this.#context.channel.send(line);
    return await this.#reply(line.shown.slice(0, 4), this.#context.timeouts.replyMs, clock);
  }

  async #reply(command: string, limitMs: number, clock: Deadline): Promise<SmtpReply> {
    const reply = await this.#anyReply(command, limitMs, clock);
    if (reply.code === 421) throw new SmtpError(reply, { command });
    return reply;
  }

  /** A reply, be it the server's goodbye. */
  async #anyReply(command: string, limitMs: number, clock: Deadline): Promise<SmtpReply> {
    clock.throwIfOver();
    return this.#context.channel.replyNow() ?? (await this.#replyLater(command, limitMs, clock));
  }

  async #replyLater(command: string, limitMs: number, clock: Deadline): Promise<SmtpReply> {
    const timeoutMs = Math.min(limitMs, clock.remainingMs());
    const reply = this.#context.channel.reply({ what: `the reply to ${command}`, timeoutMs });
    return await clock.race(reply);
  }

  /** The server waits for a message that has no recipient: an empty one it will refuse. RFC 2920 section 3.1. */
  async #sendNothing(clock: Deadline): Promise<void> {
    await this.#context.channel.sendBody("", clock);
    await this.#reply("the empty message", this.#context.timeouts.finalMs, clock);
  }

  /** The body, and behind it the next message's envelope where that is waiting already. */
  async #sendBody(doubt: Doubt): Promise<void> {
    const { delivery } = doubt;
    const next = this.#queue[1];
    const rides = next !== undefined && this.#pipelines(next) && next.options.signal?.aborted !== true;
    if (rides) next.begun = true;
    this.#bodySent = true;
    const source = delivery.sevenBit ? checkedSevenBit(delivery.content) : delivery.content.source;
    // A message is in doubt once its end is on the way, and not while its bytes come.
    const watched = endWatched(source, () => {
      this.#doubt = doubt;
    });
    await this.#context.channel.sendBody(watched, delivery.clock, ...(rides ? envelopeLines(next) : []));
  }

  /** The reply to the message. RFC 2033 section 4.2: LMTP answers for each recipient that was accepted. */
  async #finalReplies(doubt: Doubt): Promise<Map<string, SmtpReply>> {
    const { channel, lmtp, timeouts } = this.#context;
    const { delivery, accepted } = doubt;
    const replies = new Map<string, SmtpReply>();
    let goodbye: SmtpReply | undefined;
    for (const address of lmtp ? accepted : accepted.slice(0, 1)) {
      // Behind a goodbye no reply comes; it stands for those that are missing.
      const reply = goodbye ?? (await this.#anyReply("the message", timeouts.finalMs, delivery.clock));
      replies.set(address, reply);
      doubt.answered += 1;
      if (reply.code === 421) goodbye = reply;
    }
    this.#doubt = undefined;
    if (goodbye !== undefined) await channel.failed(new SmtpError(goodbye, { command: "the message" }));
    return replies;
  }

  /** RFC 3030: BDAT chunks. A known message is one chunk; a stream is sent as it comes, each chunk's reply awaited. */
  async #sendChunks(doubt: Doubt): Promise<Map<string, SmtpReply>> {
    const { delivery } = doubt;
    let waiting: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of inTime(chunkedContent(delivery), delivery.clock)) {
      if (piece.length === 0) continue;
      if (bytes > 0 && bytes + piece.length > chunkBytes) {
        await this.#sendChunk(waiting, bytes, false, delivery.clock);
        const reply = await this.#reply("BDAT", this.#context.timeouts.finalMs, delivery.clock);
        if (isRefusal(reply)) throw new SmtpError(reply, { command: "BDAT" });
        waiting = [];
        bytes = 0;
      }
      waiting.push(piece);
      bytes += piece.length;
    }
    this.#bodySent = true;
    this.#doubt = doubt;
    await this.#sendChunk(waiting, bytes, true, delivery.clock);
    return await this.#finalReplies(doubt);
  }

  async #sendChunk(
    pieces: readonly Uint8Array[],
    bytes: number,
    last: boolean,
    clock: Deadline,
  ): Promise<void> {
    const { channel } = this.#context;
    const line = formatBdat(bytes, last);
    channel.tracer.note("C", line.shown);
    const head = encoder.encode(line.wire);
    // Joined they are one write; a message that is large as it is would be copied for that.
    const writes = bytes <= chunkBytes ? [Buffer.concat([head, ...pieces])] : [head, ...pieces];
    for (const data of writes) await channel.write(data, clock);
  }

  #result(
    accepted: readonly string[],
    rejected: SendResult["rejected"],
    replies: ReadonlyMap<string, SmtpReply>,
  ): SendResult {
    const taken = accepted.filter((address) => !isRefusal(replies.get(address) ?? firstOf(replies)));
    const refused = accepted.filter((address) => !taken.includes(address));
    const reply = replies.get(taken[0] ?? "") ?? firstOf(replies);
    if (taken.length === 0) throw new SmtpError(reply, { command: "the message" });
    return {
      accepted: taken,
      rejected: [
        ...rejected,
        ...refused.map((address) => ({ address, reply: replies.get(address) ?? reply })),
      ],
      reply,
      ...(this.#context.lmtp && { replies }),
      queueId: queueIdOf(reply),
    };
  }
}

interface EnvelopeOutcome {
  readonly accepted: readonly string[];
  readonly rejected: readonly { readonly address: string; readonly reply: SmtpReply }[];
  /** The reply to DATA, where it was sent. */
  readonly ready: SmtpReply | undefined;
}

const noReply: SmtpReply = { code: 503, lines: ["no reply"] };

function firstOf(replies: ReadonlyMap<string, SmtpReply>): SmtpReply {
  const [first] = replies.values();
  return first ?? noReply;
}

function envelopeLines({ mail, rcpts, bdat }: Delivery): CommandLine[] {
  return bdat ? [mail, ...rcpts] : [mail, ...rcpts, data];
}

/** Only 2xx is a yes. A 354 where none was due would otherwise pass for a message that was taken. */
function isRefusal({ code }: SmtpReply): boolean {
  return code < 200 || code > 299;
}

function recipientsOf({ to }: SmtpEnvelope): readonly SmtpRecipient[] {
  const list = typeof to === "string" ? [to] : to;
  return list.map((one) => (typeof one === "string" ? { address: one } : one));
}

/** RFC 6152: an 8-bit message is declared as such. A stream might be one, so it is declared where that can be. */
function bodyOf(
  envelope: MailOptions,
  { eightBit }: Content,
  extensions: SmtpExtensions,
): MailOptions["body"] {
  if (envelope.body !== undefined) return envelope.body;
  if (eightBit === true) return "8bitmime";
  return eightBit === undefined && extensions.eightBitMime ? "8bitmime" : undefined;
}

/** The source, watched for bytes that the server has not been told of. */
function checkedSevenBit({ source, eightBit }: Content): Content["source"] {
  if (eightBit === false) return source;
  return watched(chunksOf(source));
}

/** The source, and a call when all of it has been sent but what leaves together with the end. */
function endWatched(source: Content["source"], onEnd: () => void): Content["source"] {
  if (!(source instanceof Uint8Array) || source.length >= oneWriteBytes)
    return callingAtEnd(chunksOf(source), onEnd);
  onEnd();
  return source;
}

async function* callingAtEnd(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onEnd: () => void,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  onEnd();
}

async function* watched(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (chunk.some((byte) => byte > 127))
      throw new UnsupportedError(
        "8BITMIME",
        "the message has bytes above 127, and was declared to have none",
      );
    yield chunk;
  }
}

/** BDAT counts bytes: a binary message goes as it is, and any other with its line ends made right. */
async function* chunkedContent(delivery: Delivery): AsyncGenerator<Uint8Array> {
  const source = delivery.sevenBit ? checkedSevenBit(delivery.content) : delivery.content.source;
  if (/ BODY=BINARYMIME\b/.test(delivery.mail.wire)) {
    yield* chunksOf(source);
    return;
  }
  const ends = new LineEndEncoder();
  for await (const chunk of chunksOf(source)) yield ends.encode(chunk);
  yield ends.finish();
}

/** The pieces, waited for no longer than the clock says. */
async function* inTime(
  pieces: AsyncGenerator<Uint8Array>,
  clock: Deadline,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for (;;) {
      const next = await clock.race(pieces.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a source that does not answer does not end either.
    void pieces.return(undefined).catch(() => {});
  }
}
