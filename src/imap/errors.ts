/** What a server's NO, BAD and BYE become. */
import { BrokenError, ReplyError } from "../core/errors.js";
import type { ResponseCode, StatusResponse } from "./types-response.js";

/** Codes after which the same command may well succeed later: RFC 5530 section 3, RFC 9051 section 7.1. */
const passing: ReadonlySet<string> = new Set(["UNAVAILABLE", "INUSE", "TEMPFAIL", "EXPUNGEISSUED", "LIMIT"]);

/**
 * A command that the server answered with NO or BAD. The connection is as usable as before. A server's handler throws
 * one to say NO: `throw new ImapError({ status: "NO", code: { name: "OVERQUOTA" }, text: "full" })`.
 */
export class ImapError extends ReplyError<ImapRefusal> {
  /** NO: it cannot be done. BAD: the server did not understand it. */
  readonly status: "NO" | "BAD";
  /** What stood in brackets: `{ name: "TRYCREATE" }`. */
  readonly responseCode: ResponseCode | undefined;
  /** What the server says, for people. */
  readonly text: string;

  constructor(refusal: ImapRefusal, command = "") {
    const { status, code, text } = refusal;
    const said = [status, code === undefined ? "" : `[${labelOf(code)}]`, text].filter(Boolean).join(" ");
    super(command === "" ? said : `${command} was refused: ${said}`, {
      ...{ reply: refusal, command, permanent: status === "BAD" || !passing.has(code?.name ?? "") },
    });
    this.status = status;
    this.responseCode = code;
    this.text = text;
  }
}

/** A NO or BAD, with its code. */
export interface ImapRefusal {
  readonly status: "NO" | "BAD";
  readonly code?: ResponseCode | undefined;
  readonly text: string;
}

/** The server said BYE and ends the connection: RFC 9051 section 7.1.5. */
export class ByeError extends BrokenError {
  readonly responseCode: ResponseCode | undefined;
  readonly text: string;

  constructor({ code, text }: Pick<StatusResponse, "code" | "text">) {
    super(`the server ends the connection: ${text}`);
    this.responseCode = code;
    this.text = text;
  }
}

function labelOf(code: ResponseCode): string {
  return code.name === "other" ? code.label : code.name;
}
