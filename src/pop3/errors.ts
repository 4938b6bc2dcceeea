/** What a server's refusal becomes, and what a handler throws to refuse. */
import { AuthError, ReplyError } from "../core/errors.js";
import type { Pop3Reply, Pop3ResponseCode } from "./types.js";

/** Codes that a later try may find gone (RFC 2449 section 8.1, RFC 3206 section 4). */
const passing = new Set(["IN-USE", "LOGIN-DELAY", "SYS/TEMP"]);

/**
 * An `-ERR`. On clients it is what the server said. A server's handler throws one to say it:
 * `throw new Pop3Error({ responseCode: "IN-USE", text: "another session has it" })`. `permanent` is false for the
 * response codes `IN-USE`, `LOGIN-DELAY` and `SYS/TEMP`.
 */
export class Pop3Error extends ReplyError<Pop3Reply> {
  readonly responseCode: Pop3ResponseCode | undefined;

  constructor(
    reply: Omit<Pop3Reply, "status">,
    about: { readonly command?: string | undefined; readonly usable?: boolean | undefined } = {},
  ) {
    const command = about.command ?? "";
    const whole: Pop3Reply = { status: "-ERR", ...reply };
    super(message(command, whole), {
      reply: whole,
      command,
      permanent: !passing.has(reply.responseCode ?? ""),
      usable: about.usable ?? true,
    });
    this.responseCode = reply.responseCode;
  }
}

/**
 * A refused login: an `AuthError` where it is, or may be, the credentials' fault; a `Pop3Error` where the server says
 * that it is something else. With AUTH-RESP-CODE (RFC 3206 section 3) only `[AUTH]` blames the credentials.
 */
export function loginError(error: Pop3Error, authResponseCode: boolean): AuthError<Pop3Reply> | Pop3Error {
  const code = error.responseCode;
  const blamed = code === undefined ? !authResponseCode : code === "AUTH";
  if (!blamed) return error;
  return new AuthError(error.message, {
    reply: error.reply,
    command: error.command,
    permanent: true,
    sent: "yes",
    cause: error,
  });
}

function message(command: string, reply: Pop3Reply): string {
  const code = reply.responseCode === undefined ? "" : `[${reply.responseCode}] `;
  const text = `-ERR ${code}${reply.text}`.trimEnd();
  return command === "" ? text : `${command.split(" ", 1)[0]} was refused: ${text}`;
}
