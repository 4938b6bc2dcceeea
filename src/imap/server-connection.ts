/** One client's connection: frames in, responses out, TLS and compression in between, and faults on request. */
import { channel } from "node:diagnostics_channel";
import { type OpOptions, withDeadline } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, BusyError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { Tracer } from "../core/trace.js";
import type { Fault } from "../engine/faults.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { TlsServerOptions, Transport } from "../transport/types.js";
import { type CommandFramer, commandFramer } from "./codec-command-framer.js";
import type { FrameEvent } from "./codec-framer.js";
import type { ResponseSegment } from "./codec-response-writer.js";
import { DeflateTransport } from "./deflate.js";
import type { Settings } from "./server-options.js";
import { Output } from "./server-output.js";

/** So much is gathered before it is sent while a command is at work. */
const gatheredBytes = 65_536;
/** How long a client that was told goodbye may take to end the connection. */
const lingerMs = 2_000;
const traceChannel = channel("hawser:imap");

/** The bytes of a session. */
export class Connection {
  readonly tracer: Tracer;
  /** Why nothing can be sent any more: no fault of a handler's. */
  failure: unknown;
  #raised: unknown;
  readonly #writeMs: () => number;
  readonly #settings: Settings;
  #stream: ByteStream;
  #framer: CommandFramer = commandFramer();
  #output: Output = new Output();
  /** What goes wrong with the next reply. */
  #fault: Fault | undefined;

  /** `writeMs` is how long a client may take to make room for what it is sent, in milliseconds. */
  constructor(transport: Transport, settings: Settings, writeMs: () => number) {
    this.#settings = settings;
    this.#writeMs = writeMs;
    this.#stream = new ByteStream(transport, settings.limits);
    this.tracer = new Tracer("imap", settings.trace);
  }

  get transport(): Transport {
    return this.#stream.transport;
  }

  get compressed(): boolean {
    return this.transport instanceof DeflateTransport;
  }

  /** Whether what is sent is watched: only then are all responses noted. */
  get #watched(): boolean {
    return this.#settings.trace !== undefined || traceChannel.hasSubscribers;
  }

  /** Whether an error comes from the connection itself: nobody's mistake but the client's or the network's. */
  raised(error: unknown): boolean {
    return error !== undefined && (error === this.#raised || error === this.failure);
  }

  async #raising<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#raised = error;
      throw error;
    }
  }

  /** Adds lines of a response with their ends. They are sent with the next flush. */
  text(text: string): void {
    if (this.#watched) this.#note(text);
    this.#output.text(text);
  }

  /** Adds octets, which are not copied. */
  bytes(bytes: Uint8Array): void {
    if (this.#watched) this.tracer.note("S", `[${bytes.length} bytes]`);
    this.#output.bytes(bytes);
  }

  #note(text: string): void {
    for (const line of text.split("\r\n")) if (line !== "") this.tracer.note("S", line);
  }

  /** Adds a response that has no streams. */
  add(segments: readonly ResponseSegment[]): void {
    for (const segment of segments) if (segment.type === "bytes") this.#addSegment(segment.bytes);
  }

  /** Adds a response, and sends its streams as they come. */
  async respond(segments: readonly ResponseSegment[]): Promise<void> {
    for (const segment of segments) {
      if (segment.type === "stream") await this.#sendStream(segment.octets, segment.stream);
      else this.#addSegment(segment.bytes);
      // After each: one FETCH may ask for a section many times.
      await this.breathe();
    }
  }

  #addSegment(bytes: Uint8Array): void {
    if (this.#watched) this.#note(Buffer.from(bytes).toString("utf8"));
    this.#output.bytes(bytes);
  }

  /** A stream that is not as long as was announced would be read as responses: the connection ends. */
  async #sendStream(octets: number, stream: AsyncIterable<Uint8Array>): Promise<void> {
    let sent = 0;
    try {
      for await (const chunk of stream) {
        sent += chunk.length;
        if (sent > octets) break;
        this.#output.bytes(chunk);
        await this.breathe();
      }
    } finally {
      if (sent !== octets) await this.close();
    }
    if (sent !== octets) {
      this.failure = new BrokenError("a message is not as long as it should be");
      throw this.failure;
    }
    if (this.#watched) this.tracer.note("S", `[${octets} bytes]`);
  }

  /** Whether much has been gathered. */
  get isFull(): boolean {
    return this.#output.size >= gatheredBytes;
  }

  /** Sends what has been gathered once it is much. A client that reads slowly holds this up. */
  async breathe(): Promise<void> {
    if (this.isFull) await this.flush();
  }

  /** Sends what has been gathered. */
  async flush(): Promise<void> {
    const writes = this.#output.take();
    if (writes.length === 0) return;
    if (this.#fault?.splitBytes !== undefined)
      return await this.#flushSplit(Buffer.concat(writes), this.#fault);
    // All at once, so that the socket can put them into one call; the last one says when there is room.
    const sent = writes.map((data) => this.#stream.transport.write(data));
    await this.#timed("sending", Promise.all(sent));
  }

  async #timed(what: string, work: Promise<unknown>): Promise<void> {
    // Where the time is over before the race begins, nobody else would take what the work rejects with.
    work.catch(() => {});
    await this.#fatal(withDeadline(what, { timeoutMs: this.#writeMs() }, () => work));
  }

  /** After this there is nobody to talk to. */
  async #fatal<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async #flushSplit(data: Uint8Array, { splitBytes = 0, drop }: Fault): Promise<void> {
    this.#fault = undefined;
    await this.#stream.write(data.subarray(0, splitBytes));
    await new Promise((resolve) => setImmediate(resolve));
    if (drop === true) await this.#drop();
    await this.#stream.write(data.subarray(splitBytes));
  }

  async #drop(): Promise<never> {
    await this.close();
    this.failure = new BrokenError("dropped by a fault");
    throw this.failure;
  }

  /** The next frame or literal, if it has come. */
  nextNow(limits: Limits, maxBufferedBytes: number): FrameEvent | undefined {
    this.#framer.maxBufferedBytes = maxBufferedBytes;
    return this.#framer.next(this.#stream.queue, limits);
  }

  /** The next frame or literal. What has been gathered is sent before it is waited for. */
  async next(limits: Limits, options: OpOptions): Promise<FrameEvent> {
    await this.flush();
    return await this.#stream.receive(this.#framer.next, { ...options, limits, what: "a command" });
  }

  /** Takes the literal that was announced; a client that waits is told to go on. */
  acceptLiteral(nonSync: boolean): void {
    if (!nonSync) this.text("+ OK\r\n");
    this.#framer.accept("buffer");
  }

  refuseLiteral(): void {
    this.#framer.refuse();
  }

  /** A value that is no command: a response to a challenge. */
  async receive<T>(decoder: Decoder<T>, options: OpOptions & { readonly what?: string }): Promise<T> {
    await this.flush();
    return await this.#raising(this.#stream.receive(decoder, options));
  }

  /**
   * Looks whether a fault is due at a command or stage, and carries out what it says. True: the command has been
   * answered, and is not to be carried out.
   */
  async interfere(stage: string, line: string, tag = "*"): Promise<boolean> {
    const fault = this.#settings.faults.take(stage, line);
    if (fault === undefined) return false;
    this.tracer.note("*", `fault on ${stage}`);
    await this.flush();
    if (fault.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault.drop === true && fault.splitBytes === undefined) await this.#drop();
    this.#fault = fault;
    if (fault.reply === undefined) return false;
    const lines = typeof fault.reply === "string" ? [fault.reply] : fault.reply;
    for (const line of lines) {
      this.text(`${line.replaceAll("{tag}", tag)}\r\n`);
      await this.breathe();
    }
    return true;
  }

  /** The reply to a command is whole: a fault of that command is over. */
  endReply(): void {
    if (this.#fault?.splitBytes === undefined) this.#fault = undefined;
  }

  /** Whether bytes have come that belong to no command yet. */
  get hasInput(): boolean {
    return this.#stream.queue.length > 0 || this.transport.bufferedBytes > 0 || !this.#framer.idle;
  }

  /** Goes on in TLS, once the answer that allows it is gathered: it is sent here. */
  async startTls(options: TlsServerOptions): Promise<void> {
    const failure = this.#fault?.tlsFailure === true;
    this.#fault = undefined;
    // The answer must not leave before it is known that nothing was sent ahead of the handshake.
    if (!this.hasInput) await this.flush();
    if (failure) {
      await this.#stream.write(Buffer.from("no TLS here\r\n"));
      await this.#drop();
    }
    const upgrade = { role: "server", options } as const;
    const info = await this.#fatal(this.#stream.startTls(upgrade, { timeoutMs: this.#writeMs() }));
    this.#framer = commandFramer();
    this.#output = new Output();
    this.tracer.note("*", `${info.protocol} started`);
  }

  /** Goes on compressed; what has been gathered goes out as it is. */
  async compress(): Promise<void> {
    if (this.hasInput) throw new BusyError("bytes came behind COMPRESS");
    await this.flush();
    this.#stream = new ByteStream(new DeflateTransport(this.transport), this.#settings.limits);
    this.#framer = commandFramer();
    this.tracer.note("*", "compressed from here on");
  }

  /** Ends the connection in good order: what was said arrives, even where the client has sent more than was read. */
  async hangUp(): Promise<void> {
    try {
      await this.flush();
      await this.#timed("the goodbye", this.transport.end());
      const untilEnd: Decoder<true> = (queue) => {
        queue.drop(queue.length);
        return queue.ended ? true : undefined;
      };
      await this.#stream.receive(untilEnd, { timeoutMs: lingerMs });
    } catch {
      // The client is gone already, or does not go: either way the connection ends now.
    }
    await this.close();
  }

  async close(): Promise<void> {
    await this.#stream.close();
  }
}
