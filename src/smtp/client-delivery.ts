/**
 * Messages on their way through one connection, in order. With PIPELINING (RFC 2920) an envelope is one write, and the next
 * message's envelope rides behind a body: a message then costs one round trip.
 */
import { Deadline, type OpOptions } from "../core/deadline.js";
import { BrokenError, LimitError, LocalProtocolError, UnsupportedError } from "../core/errors.js";
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
  /** How the body is declared: an 8-bit byte in a 7-bit message is refused. */
  readonly sevenBit: boolean;
  readonly bdat: boolean;
  readonly resolve: (result: SendResult) => void;
  readonly reject: (error: unknown) => void;
  /** Whether the envelope has been written, alone or behind the body before. */
  begun: boolean;
}

/** The queue of one connection. */
export class DeliveryQueue {
  readonly #context: DeliveryContext;
  readonly #queue: Delivery[] = [];
  #running = false;
  #mails = 0;
  /** The message whose end was sent and whose reply has not come. */
  #inDoubt: SmtpEnvelope | undefined;
  #bodySent = false;

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  /** The message that the server may have taken although its reply never came: sending it again may double it. */
  get inDoubt(): SmtpEnvelope | undefined {
    return this.#inDoubt;
  }

  /** Takes a message into the queue. What cannot be sent is refused here, before a byte is written. */
  async add(envelope: SmtpEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    const withdraw = () => this.#withdraw(signal);
    signal?.addEventListener("abort", withdraw);
    try {
      return await this.#enqueue(envelope, message, options);
    } finally {
      signal?.removeEventListener("abort", withdraw);
    }
  }

  #enqueue(envelope: SmtpEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    return new Promise((resolve, reject) => {
      const delivery = this.#prepare(envelope, contentOf(message), options, resolve, reject);
      if (!this.#running) this.#context.channel.throwIfUnusable();
      this.#queue.push(delivery);
      if (!this.#running) void this.#run();
    });
  }

  #prepare(
    envelope: SmtpEnvelope,
    content: Content,
    options: SendOptions,
    resolve: Delivery["resolve"],
    reject: Delivery["reject"],
  ): Delivery {
    const { extensions } = this.#context;
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
      from: envelope.from,
      recipients,
      mail,
      rcpts,
      content,
      options,
      sevenBit,
      bdat,
      resolve,
      reject,
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

  /** A message that waits and is aborted leaves the queue; the connection does not notice. */
  #withdraw(signal: AbortSignal | undefined): void {
    for (const delivery of this.#queue.slice(1)) {
      if (delivery.options.signal !== signal || delivery.begun) continue;
      this.#queue.splice(this.#queue.indexOf(delivery), 1);
      delivery.reject(signal?.reason);
    }
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
    using clock = new Deadline("sending a message", delivery.options);
    this.#bodySent = false;
    try {
      const result = await this.#transact(delivery, clock);
      return () => delivery.resolve(result);
    } catch (error) {
      const told = await this.#context.channel.failed(this.#explained(error));
      if (this.#context.channel.closed) throw told;
      // A body ends its transaction, whatever the server says to it.
      if (!this.#bodySent) await this.#reset(delivery, told);
      return () => delivery.reject(told);
    }
  }

  /** The end of a connection says whether the message may have been accepted. */
  #explained(error: unknown): unknown {
    if (!(error instanceof BrokenError) || this.#inDoubt !== undefined) return error;
    return new BrokenError(`${error.message} (the message was not accepted)`, { cause: error, sent: "no" });
  }

  /** After a transaction that came to nothing, the next MAIL would be out of order. */
  async #reset(delivery: Delivery, reason: unknown): Promise<void> {
    const { channel, timeouts } = this.#context;
    try {
      await channel.call(rset, { timeoutMs: timeouts.replyMs });
    } catch (error) {
      delivery.reject(reason);
      throw error;
    }
  }

  async #transact(delivery: Delivery, clock: Deadline): Promise<SendResult> {
    this.#mails += 1;
    const { accepted, rejected, ready } = await this.#sendEnvelope(delivery, clock);
    const refusal = rejected[0];
    const wanted = delivery.options.allOrNothing === true ? delivery.recipients.length : 1;
    if (accepted.length < wanted && refusal !== undefined) {
      if (ready?.code === 354) await this.#sendNothing(clock);
      throw new SmtpError(refusal.reply, { command: "RCPT", recipient: refusal.address });
    }
    if (delivery.bdat)
      return this.#result(accepted, rejected, await this.#sendChunks(delivery, accepted, clock));
    if (ready?.code !== 354) throw new SmtpError(ready ?? noReply, { command: "DATA" });
    await this.#sendBody(delivery, clock);
    return this.#result(accepted, rejected, await this.#finalReplies(accepted, clock));
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
    clock.throwIfOver();
    const value = this.#context.channel.replyNow() ?? (await this.#replyLater(command, limitMs, clock));
    if (value.code === 421) throw new SmtpError(value, { command });
    return value;
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
  async #sendBody(delivery: Delivery, clock: Deadline): Promise<void> {
    const next = this.#queue[1];
    const rides = next !== undefined && this.#pipelines(next) && next.options.signal?.aborted !== true;
    if (rides) next.begun = true;
    this.#bodySent = true;
    const source = delivery.sevenBit ? checkedSevenBit(delivery.content) : delivery.content.source;
    // A message is in doubt once its end is on the way, and not while its bytes come.
    const watched = endWatched(source, () => {
      this.#inDoubt = { from: delivery.from, to: delivery.recipients };
    });
    await this.#context.channel.sendBody(watched, clock, ...(rides ? envelopeLines(next) : []));
  }

  async #finalReplies(accepted: readonly string[], clock: Deadline): Promise<Map<string, SmtpReply>> {
    const replies = new Map<string, SmtpReply>();
    // RFC 2033 section 4.2: LMTP answers for each recipient that was accepted.
    const count = this.#context.lmtp ? accepted : accepted.slice(0, 1);
    for (const address of count)
      replies.set(address, await this.#reply("the message", this.#context.timeouts.finalMs, clock));
    this.#inDoubt = undefined;
    return replies;
  }

  /** RFC 3030: BDAT chunks. A known message is one chunk; a stream is sent as it comes, each chunk's reply awaited. */
  async #sendChunks(
    delivery: Delivery,
    accepted: readonly string[],
    clock: Deadline,
  ): Promise<Map<string, SmtpReply>> {
    const { channel, timeouts } = this.#context;
    let waiting: Uint8Array[] = [];
    let bytes = 0;
    const send = async (last: boolean): Promise<void> => {
      const line = formatBdat(bytes, last);
      channel.tracer.note("C", line.shown);
      await clock.race(channel.stream.write(Buffer.concat([encoder.encode(line.wire), ...waiting])));
      waiting = [];
      bytes = 0;
    };
    for await (const piece of chunkedContent(delivery)) {
      if (bytes > 0 && bytes + piece.length > chunkBytes) {
        await send(false);
        const reply = await this.#reply("BDAT", timeouts.finalMs, clock);
        if (isRefusal(reply)) throw new SmtpError(reply, { command: "BDAT" });
      }
      waiting.push(piece);
      bytes += piece.length;
    }
    this.#bodySent = true;
    this.#inDoubt = { from: delivery.from, to: delivery.recipients };
    await send(true);
    return await this.#finalReplies(accepted, clock);
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

function isRefusal({ code }: SmtpReply): boolean {
  return code >= 400;
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

/** The source, and a call when all of it has been read. */
function endWatched(source: Content["source"], onEnd: () => void): Content["source"] {
  if (!(source instanceof Uint8Array)) return callingAtEnd(chunksOf(source), onEnd);
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
