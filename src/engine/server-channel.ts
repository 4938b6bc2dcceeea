/** The server's side of a protocol of lines: a command in, a reply out, bodies both ways, and faults on request. */
import { type OpOptions, withDeadline } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { chunksOf, type Source } from "../core/source.js";
import { type Trace, Tracer } from "../core/trace.js";
import { ByteStream, type ReceiveOptions } from "../transport/byte-stream.js";
import type { TlsInfo, TlsServerOptions, Transport } from "../transport/types.js";
import { DotBlockEncoder, dotBlockDecoder } from "../wire/dot-block.js";
import { Body } from "./body.js";
import { type Fault, FaultPlan } from "./faults.js";
import { Gathered } from "./gathered.js";

/** What every server of a protocol of lines takes. */
export interface ServerChannelOptions {
  /** Sees the conversations. */
  readonly trace?: Trace | undefined;
  /** Other limits than the protocol's. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long a client may be silent, in milliseconds. Default 300,000. */
  readonly idleMs?: number | undefined;
  readonly faults?: FaultPlan | undefined;
}

const defaultIdleMs = 300_000;
/** Replies are gathered while the client's next command is here already, up to this size. */
const maxGatheredChars = 65_536;
/** How long a client that was told goodbye may take to end the connection. */
const lingerMs = 2_000;
const encoder: TextEncoder = new TextEncoder();

/** One client's connection. */
export class ServerChannel {
  readonly stream: ByteStream;
  readonly tracer: Tracer;
  readonly #faults: FaultPlan;
  readonly #idleMs: number;
  #gathered = "";
  /** What goes wrong with the next reply. */
  #fault: Fault | undefined;
  /** Reads the body that is under way to its end. */
  #finishBody: (() => Promise<void>) | undefined;

  constructor(protocol: string, transport: Transport, options: ServerChannelOptions = {}) {
    this.stream = new ByteStream(transport, options.limits);
    this.tracer = new Tracer(protocol, options.trace);
    this.#faults = options.faults ?? new FaultPlan();
    this.#idleMs = options.idleMs ?? defaultIdleMs;
  }

  get tls(): TlsInfo | undefined {
    return this.stream.transport.tls;
  }

  /**
   * A value from the client. Replies that were gathered are sent before it is waited for. What is left of a body is let
   * go first: nobody's message may be taken for commands.
   */
  async receive<T>(decoder: Decoder<T>, options: OpOptions & { readonly what?: string } = {}): Promise<T> {
    await this.#finishBody?.();
    const now = this.stream.receiveNow(decoder);
    if (now !== undefined) return now;
    await this.flush();
    return await this.stream.receive(decoder, this.#waiting(options));
  }

  #waiting(options: ReceiveOptions): ReceiveOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#idleMs };
  }

  /**
   * Looks whether a fault is due at a command or stage, and carries out what it says. True: the command has been
   * answered, and is not to be carried out.
   */
  async interfere(stage: string, line?: string): Promise<boolean> {
    const fault = this.#faults.take(stage, line);
    if (fault === undefined) return false;
    this.tracer.note("*", `fault on ${stage}`);
    if (fault.delayMs !== undefined) await this.#pause(fault.delayMs);
    if (fault.drop === true && fault.splitBytes === undefined) {
      await this.flush();
      await this.stream.close();
      throw new BrokenError("dropped by a fault");
    }
    this.#fault = fault;
    if (fault.reply === undefined) return false;
    const lines = typeof fault.reply === "string" ? [fault.reply] : fault.reply;
    await this.reply(lines.map((text) => `${text}\r\n`).join(""));
    return true;
  }

  async #pause(delayMs: number): Promise<void> {
    await this.flush();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  /** Whether the TLS handshake that comes now is to fail. It is used up by being asked for. */
  takeTlsFailure(): boolean {
    const fails = this.#fault?.tlsFailure === true;
    this.#fault = undefined;
    return fails;
  }

  /** Replies in lines with their ends. They are sent with the next flush, or when they have become many. */
  async reply(text: string): Promise<void> {
    this.#note(text);
    // The pieces are those of this reply, not of the ones before it.
    if (this.#fault?.splitBytes !== undefined) await this.flush();
    this.#gathered += text;
    if (this.#fault?.splitBytes !== undefined) await this.#replySplit(this.#fault);
    else if (this.#gathered.length > maxGatheredChars) await this.flush();
    if (this.#fault?.tlsFailure !== true) this.#fault = undefined;
  }

  /** Most replies are one line, which needs no taking apart. */
  #note(text: string): void {
    if (text.indexOf("\r\n") === text.length - 2) this.tracer.note("S", text.slice(0, -2));
    else for (const line of text.split("\r\n")) if (line !== "") this.tracer.note("S", line);
  }

  async #replySplit({ splitBytes = 0, drop }: Fault): Promise<void> {
    const data = this.#takeGathered();
    await this.#write(data.subarray(0, splitBytes));
    await new Promise((resolve) => setImmediate(resolve));
    if (drop === true) {
      await this.stream.close();
      throw new BrokenError("dropped by a fault");
    }
    await this.#write(data.subarray(splitBytes));
  }

  /** Sends the replies that wait. */
  flush(): Promise<void> {
    return this.#gathered === "" ? Promise.resolve() : this.#write(this.#takeGathered());
  }

  #write(data: Uint8Array): Promise<void> {
    return this.stream.write(data, { timeoutMs: this.#idleMs });
  }

  /**
   * Sends a reply and, behind it, a source as a dot block. A source that fails ends the connection, unless nothing of
   * the reply has left yet: then another reply may be given.
   */
  async replyWithBody(text: string, source: Source): Promise<void> {
    const before = this.#gathered;
    await this.reply(text);
    let hasBegun = this.#gathered === "";
    const out = new Gathered((data) => {
      hasBegun = true;
      return this.#write(data);
    });
    await out.add(this.#takeGathered());
    try {
      const bytes = await this.#addSource(source, out);
      this.tracer.note("S", `[${bytes} bytes]`);
      await out.flush();
    } catch (error) {
      if (hasBegun) await this.stream.close();
      else this.#gathered = before;
      throw error;
    }
  }

  async #addSource(source: Source, out: Gathered): Promise<number> {
    const dots = new DotBlockEncoder();
    let bytes = 0;
    for await (const chunk of chunksOf(source)) {
      bytes += chunk.length;
      await out.add(dots.encode(chunk));
    }
    await out.add(dots.finish());
    return bytes;
  }

  #takeGathered(): Uint8Array {
    // Small ones share Node's pool: a third of what an array of its own costs.
    const data = Buffer.from(this.#gathered);
    this.#gathered = "";
    return data;
  }

  /** The dot block that follows now. The next command is behind its end: what is not read goes with the next `receive`. */
  body(limits: Partial<Limits> = {}): Body {
    return this.bodyOf(dotBlockDecoder(), limits);
  }

  /** A body that a decoder of the protocol's gives in pieces. */
  bodyOf(decode: Decoder<Uint8Array | null>, limits: Partial<Limits> = {}): Body {
    const options = this.#waiting({ what: "the body", limits: { ...this.stream.limits, ...limits } });
    let bytes = 0;
    const next = async (): Promise<Uint8Array | null> => {
      await this.flush();
      const piece = await this.stream.receive(decode, options).catch((error: unknown) => {
        // Where the body ends is not known any more, so no command can follow.
        this.#finishBody = () => Promise.reject(error);
        throw error;
      });
      bytes += piece?.length ?? 0;
      if (piece !== null) return piece;
      this.#finishBody = undefined;
      this.tracer.note("C", `[${bytes} bytes]`);
      return null;
    };
    const abandon = async (): Promise<void> => {
      while ((await next()) !== null);
    };
    this.#finishBody = abandon;
    return new Body({ next, abandon });
  }

  /** Goes on in TLS, once the answer that allows it is gathered: it is sent here. */
  async startTls(options: TlsServerOptions): Promise<TlsInfo> {
    // The answer must not leave before it is known that nothing was sent ahead of the handshake.
    const injected = this.stream.queue.length > 0 || this.stream.transport.bufferedBytes > 0;
    const failure = this.takeTlsFailure();
    if (!injected) await this.flush();
    if (failure) {
      await this.stream.write(encoder.encode("no TLS here\r\n"));
      await this.stream.close();
      throw new BrokenError("the TLS handshake failed by a fault");
    }
    const info = await this.stream.startTls({ role: "server", options }, { timeoutMs: this.#idleMs });
    this.tracer.note("*", `${info.protocol} started`);
    return info;
  }

  /** Ends the connection in good order: what was said arrives, even where the client has sent more than was read. */
  async hangUp(): Promise<void> {
    try {
      await this.flush();
      // A client that takes nothing in must not keep the connection.
      await withDeadline("the goodbye", { timeoutMs: this.#idleMs }, () => this.stream.transport.end());
      const untilEnd = (): true | undefined => {
        this.stream.queue.drop(this.stream.queue.length);
        return this.stream.queue.ended ? true : undefined;
      };
      await this.stream.receive(untilEnd, { timeoutMs: lingerMs });
    } catch {
      // The client is gone already, or does not go: either way the connection ends now.
    }
    await this.stream.close();
  }
}
