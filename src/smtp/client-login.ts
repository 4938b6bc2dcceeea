/** AUTH (RFC 4954): how SMTP carries a SASL exchange. */
import { AuthError, LocalProtocolError } from "../core/errors.js";
import { Secret } from "../core/secret.js";
import type { CommandChannel } from "../engine/command-channel.js";
import { saslLink } from "../engine/sasl-link.js";
import {
  authenticate,
  type Credentials,
  choose,
  decodeBase64,
  encodeBase64,
  type SaslProfile,
  type SaslStep,
} from "../sasl/index.js";
import { commandLine } from "../wire/command-line.js";
import { SmtpError } from "./errors.js";
import type { SmtpExtensions, SmtpReply } from "./types.js";

/** RFC 4954 section 4: the line with the initial response has 512 octets at most, its CR LF included. */
const maxLineBytes = 512;

/** What a login needs besides the credentials. */
export interface LoginOptions {
  /** Sends a password although nobody keeps others from reading it. False by default. */
  readonly allowClearText?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Logs in with the best mechanism that both sides have.
 *
 * @throws {AuthError} the server refused the credentials, or offers no mechanism for them.
 * @throws {LocalProtocolError} the password would cross the network in the clear.
 */
export async function login(
  channel: CommandChannel<SmtpReply>,
  extensions: SmtpExtensions,
  credentials: Credentials,
  options: LoginOptions,
): Promise<void> {
  if (extensions.auth.size === 0) throw new LocalProtocolError("the server does not offer AUTH here");
  const link = saslLink(channel.stream.transport, "client", options);
  const client = choose(extensions.auth, credentials, link);
  await authenticate(profileOf(channel, options.signal), client, link);
}

function profileOf(channel: CommandChannel<SmtpReply>, signal: AbortSignal | undefined): SaslProfile {
  const exchange = async (line: ReturnType<typeof commandLine>): Promise<SaslStep> =>
    stepOf(await channel.call(line, { what: "the reply to AUTH", signal }));
  return {
    begin: (mechanism, initial) => {
      const encoded = initial === undefined ? undefined : encodeBase64(initial) || "=";
      const fits = encoded !== undefined && encoded.length + mechanism.length + 8 <= maxLineBytes;
      if (encoded === undefined || fits)
        return exchange(
          commandLine("AUTH", mechanism, ...(encoded === undefined ? [] : [new Secret(encoded)])),
        );
      return lateInitial(exchange, mechanism, encoded);
    },
    respond: (data) => exchange(secretLine(encodeBase64(data))),
    cancel: async () => {
      await channel.call(commandLine("*"));
    },
  };
}

/** An initial response that is too long for the command goes out behind an empty challenge. */
async function lateInitial(
  exchange: (line: ReturnType<typeof commandLine>) => Promise<SaslStep>,
  mechanism: string,
  encoded: string,
): Promise<SaslStep> {
  const step = await exchange(commandLine("AUTH", mechanism));
  return step.type === "success" ? step : await exchange(secretLine(encoded));
}

/** A line of nothing but a response: there is no verb, and all of it is secret. */
function secretLine(encoded: string): ReturnType<typeof commandLine> {
  return { wire: `${encoded}\r\n`, shown: String(new Secret(encoded)) };
}

/** 334 asks for more, 235 is success, anything else a refusal. */
function stepOf(reply: SmtpReply): SaslStep {
  if (reply.code === 334) return { type: "challenge", data: decodeBase64(reply.lines[0]?.trim() ?? "") };
  if (reply.code >= 200 && reply.code < 300) return { type: "success" };
  const error = new SmtpError(reply, { command: "AUTH" });
  throw new AuthError(error.message, {
    ...{ reply, command: "AUTH", permanent: error.permanent, usable: error.usable, cause: error },
  });
}
