/** The server's side of a protocol of lines: a command in, a reply out, bodies both ways, and faults on request. */
import type { OpOptions } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { chunksOf, type Source } from "../core/source.js";
import { type Trace, Tracer } from "../core/trace.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { TlsInfo, TlsServerOptions, Transport } from "../transport/types.js";
import { DotBlockEncoder, dotBlockDecoder } from "../wire/dot-block.js";
import { Body } from "./body.js";
import { type Fault, FaultPlan } from "./faults.js";

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
const writeBytes = 65_536;
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

  constructor(protocol: string, transport: Transport, options: ServerChannelOptions = {}) {
    this.stream = new ByteStream(transport, options.limits);
    this.tracer = new Tracer(protocol, options.trace);
    this.#faults = options.faults ?? new FaultPlan();
    this.#idleMs = options.idleMs ?? defaultIdleMs;
  }

  get tls(): TlsInfo | undefined {
    return this.stream.transport.tls;
  }

  /** A value from the client. Replies that were gathered are sent before it is waited for. */
  async receive<T>(decoder: Decoder<T>, options: OpOptions & { readonly what?: string } = {}): Promise<T> {
    const now = this.stream.receiveNow(decoder);
    if (now !== undefined) return now;
    await this.flush();
    return await this.stream.receive(decoder, { timeoutMs: this.#idleMs, ...options });
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
    for (const line of text.split("\r\n")) if (line !== "") this.tracer.note("S", line);
    this.#gathered += text;
    if (this.#fault?.splitBytes !== undefined) await this.#replySplit(this.#fault);
    else if (this.#gathered.length > maxGatheredChars) await this.flush();
    if (this.#fault?.tlsFailure !== true) this.#fault = undefined;
  }

  async #replySplit({ splitBytes = 0, drop }: Fault): Promise<void> {
    const data = encoder.encode(this.#gathered);
    this.#gathered = "";
    await this.stream.write(data.subarray(0, splitBytes));
    await new Promise((resolve) => setImmediate(resolve));
    if (drop === true) {
      await this.stream.close();
      throw new BrokenError("dropped by a fault");
    }
    await this.stream.write(data.subarray(splitBytes));
  }

  /** Sends the replies that wait. */
  async flush(): Promise<void> {
    if (this.#gathered === "") return;
    const data = encoder.encode(this.#gathered);
    this.#gathered = "";
    await this.stream.write(data, { timeoutMs: this.#idleMs });
  }

  /** Sends a reply and, behind it, a source as a dot block. */
  async replyWithBody(text: string, source: Source): Promise<void> {
    await this.reply(text);
    const dots = new DotBlockEncoder();
    let bytes = 0;
    let waiting: Uint8Array[] = [encoder.encode(this.#gathered)];
    let waitingBytes = 0;
    this.#gathered = "";
    for await (const chunk of chunksOf(source)) {
      bytes += chunk.length;
      waiting.push(dots.encode(chunk));
      waitingBytes += chunk.length;
      if (waitingBytes < writeBytes) continue;
      await this.stream.write(Buffer.concat(waiting), { timeoutMs: this.#idleMs });
      waiting = [];
      waitingBytes = 0;
    }
    waiting.push(dots.finish());
    this.tracer.note("S", `[${bytes} bytes]`);
    await this.stream.write(Buffer.concat(waiting), { timeoutMs: this.#idleMs });
  }

  /** The dot block that follows now. The next command is behind its end: read it, or let it go by leaving the loop. */
  body(limits: Partial<Limits> = {}): Body {
    return this.bodyOf(dotBlockDecoder(), limits);
  }

  /** A body that a decoder of the protocol's gives in pieces. */
  bodyOf(decode: Decoder<Uint8Array | null>, limits: Partial<Limits> = {}): Body {
    const options = { what: "the body", limits: { ...this.stream.limits, ...limits } };
    let bytes = 0;
    const next = async (): Promise<Uint8Array | null> => {
      await this.flush();
      const piece = await this.stream.receive(decode, { timeoutMs: this.#idleMs, ...options });
      bytes += piece?.length ?? 0;
      if (piece === null) this.tracer.note("C", `[${bytes} bytes]`);
      return piece;
    };
    const abandon = async (): Promise<void> => {
      while ((await next()) !== null);
    };
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
      await this.stream.transport.end();
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
