/** Framing of what a client sends: synchronizing literals wait for the server's word (RFC 9051 section 4.3, RFC 7888). */
import { type Announced, FrameAssembler, type FramerOptions } from "./codec-framer.js";

/**
 * Frames of commands. A literal event says that the client waits for a continuation (`nonSync` false), or sends more than
 * `maxBufferedBytes` without waiting: answer with {@link CommandFramer.accept} (after writing `+` where it waits) or
 * {@link CommandFramer.refuse} (after writing NO or BAD).
 */
export class CommandFramer extends FrameAssembler {
  /** Takes the literal: into the frame, or as a stream by {@link FrameAssembler.literal}. */
  accept(how: "buffer" | "stream" = "buffer"): void {
    this.settle(how);
  }

  /** Drops the command. What the client sends of it without waiting is thrown away as it comes. */
  refuse(): void {
    this.settle("forget");
  }

  protected override decide({ nonSync, octets }: Announced): "buffer" | "ask" {
    return nonSync && octets <= this.maxBufferedBytes ? "buffer" : "ask";
  }
}

/** A framer for what a client sends, one for each connection. `maxBufferedBytes` is 4 KiB unless given otherwise. */
export function commandFramer(options: FramerOptions = {}): CommandFramer {
  return new CommandFramer({ maxBufferedBytes: options.maxBufferedBytes ?? 4096 });
}
