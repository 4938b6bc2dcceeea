/** Conversations made visible: traces, transcripts, and the lines that errors carry. */
import { type Channel, channel } from "node:diagnostics_channel";
import { printable } from "./printable.js";

/** Who speaks in a line of a transcript: the client, the server, or hawser itself (`*`). */
export type Speaker = "C" | "S" | "*";

/** One line of a conversation. Secrets are masked where they enter, so none can stand here. */
export interface TraceEvent {
  /** The protocol: `smtp`. */
  readonly protocol: string;
  /** A number for each connection of this process. */
  readonly connection: number;
  /** When, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly who: Speaker;
  /** The line without its end; for a body a note such as `[1234 bytes]`. */
  readonly text: string;
}

/** Whoever wants to see a conversation: give one as the `trace` option of a client or a server. */
export interface Trace {
  /** Called with each line as it is said. It must be quick and must not throw. */
  event(event: TraceEvent): void;
}

/** A conversation as text. */
export interface Transcript extends Trace {
  /** The lines so far, each with its speaker. */
  readonly lines: readonly string[];
  /** All lines, each ended by a line feed. */
  toString(): string;
}

/**
 * A trace that collects a transcript: lines that begin with `C: `, `S: ` or `* `.
 *
 * @example
 * ```ts
 * const trace = transcript();
 * const client = await SmtpClient.connect({ host, port, trace });
 * console.log(String(trace)); // S: 220 …   C: EHLO …
 * ```
 */
export function transcript(onLine?: (line: string) => void): Transcript {
  const lines: string[] = [];
  return {
    lines,
    event(event: TraceEvent): void {
      const line = transcriptLine(event.who, event.text);
      lines.push(line);
      onLine?.(line);
    },
    toString: (): string => lines.map((line) => `${line}\n`).join(""),
  };
}

/** A line of a transcript: `C: NOOP`, `S: 250 OK`, `* TLS started`. */
export function transcriptLine(who: Speaker, text: string): string {
  return who === "*" ? `* ${text}` : `${who}: ${text}`;
}

/** How many lines an error carries. */
const maxRecentLines = 12;
const maxShownChars = 512;
let connections = 0;

/**
 * Notes what is said on one connection: to the trace, to the channel `hawser:PROTOCOL` of `node:diagnostics_channel`, and
 * in a short memory for errors.
 */
export class Tracer {
  readonly #protocol: string;
  readonly #connection: number = ++connections;
  readonly #trace: Trace | undefined;
  readonly #channel: Channel;
  readonly #recent: (Note | undefined)[] = [];
  #next = 0;

  constructor(protocol: string, trace?: Trace) {
    this.#protocol = protocol;
    this.#trace = trace;
    this.#channel = channel(`hawser:${protocol}`);
  }

  /** Notes a line. It must hold no secret. Control characters are escaped: one line stays one line. */
  note(who: Speaker, text: string): void {
    this.#remember({ who, text: text.length > maxShownChars ? `${text.slice(0, maxShownChars)}…` : text });
    if (this.#isWatched()) this.#tell(who, text);
  }

  /** Notes lines that are made once somebody wants to see them: most never are, and making them takes its time. */
  noteLines(who: Speaker, lines: () => readonly string[]): void {
    this.#remember({ who, text: lines });
    if (this.#isWatched()) for (const line of lines()) this.#tell(who, line);
  }

  #remember(note: Note): void {
    this.#recent[this.#next] = note;
    this.#next = (this.#next + 1) % maxRecentLines;
  }

  #isWatched(): boolean {
    return this.#trace !== undefined || this.#channel.hasSubscribers;
  }

  #tell(who: Speaker, text: string): void {
    const event = {
      protocol: this.#protocol,
      connection: this.#connection,
      atMs: Date.now(),
      who,
      text: shownText(text),
    };
    this.#trace?.event(event);
    if (this.#channel.hasSubscribers) this.#channel.publish(event);
  }

  /** The last lines, oldest first. */
  recent(): string[] {
    const notes = [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
    return notes.flatMap((note) => (note === undefined ? [] : linesOf(note))).slice(-maxRecentLines);
  }
}

/** What was said, as it came: it is made printable when it is shown. */
interface Note {
  readonly who: Speaker;
  readonly text: string | (() => readonly string[]);
}

function linesOf({ who, text }: Note): string[] {
  const lines = typeof text === "string" ? [text] : text();
  return lines.map((line) => transcriptLine(who, shownText(line)));
}

function shownText(text: string): string {
  return printable(text.length > maxShownChars ? `${text.slice(0, maxShownChars)}…` : text);
}
