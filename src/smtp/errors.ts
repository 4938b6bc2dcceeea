/** What a server's refusal becomes, and what a handler throws to refuse. */
import { ReplyError } from "../core/errors.js";
import type { SmtpReply } from "./types.js";

/** What an {@link SmtpError} is about. */
export interface SmtpErrorFacts {
  /** The command that was refused. */
  readonly command?: string | undefined;
  /** The recipient that was refused. */
  readonly recipient?: string | undefined;
  /** Whether the connection can still be used. Default: unless the reply is 421. */
  readonly usable?: boolean | undefined;
}

/**
 * A reply of 400 to 599. On clients it is what the server said. A server's handler throws one to say it:
 * `throw new SmtpError({ code: 550, enhancedCode: "5.1.1", lines: ["No such user"] })`.
 */
export class SmtpError extends ReplyError<SmtpReply> {
  /** The three digits: 550. */
  readonly replyCode: number;
  /** `5.1.1`, where the server gives such codes. */
  readonly enhancedCode: string | undefined;
  /** The recipient that it is about, where it is about one. */
  readonly recipient: string | undefined;

  constructor(reply: SmtpReply, about: SmtpErrorFacts = {}) {
    const command = about.command ?? "";
    const text = `${reply.code} ${[reply.enhancedCode, ...reply.lines].filter(Boolean).join(" ")}`;
    super(command === "" ? text : `${command.split(" ", 1)[0]} was refused: ${text}`, {
      reply,
      command,
      permanent: reply.code >= 500,
      // 421 is the server's goodbye (RFC 5321 section 3.8).
      usable: about.usable ?? reply.code !== 421,
    });
    this.replyCode = reply.code;
    this.enhancedCode = reply.enhancedCode;
    this.recipient = about.recipient;
  }
}
