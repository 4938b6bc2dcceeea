/** How a session begins: the greeting, TLS, the login, what is enabled; and COMPRESS, which changes what is below. */
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { UnsupportedError } from "../core/errors.js";
import type { Credentials } from "../sasl/index.js";
import type { TlsClientOptions, TlsInfo } from "../transport/types.js";
import { type DeflateOptions, deflated } from "./client-compress.js";
import type { Connection } from "./client-connection.js";
import { login, unexpectedPreauth } from "./client-login.js";
import { atom } from "./codec-parts.js";
import { capability, enable } from "./commands/any-state.js";
import { plain } from "./commands/command.js";

/** How a session begins. */
export interface SessionOptions {
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
  readonly tlsOptions?: TlsClientOptions | undefined;
  readonly host?: string | undefined;
  /** Logs in after the greeting. */
  readonly auth?: Credentials | undefined;
  /** Sends a password over a connection that others can read. False by default. */
  readonly allowClearText?: boolean | undefined;
  /** Takes PREAUTH for an answer: the server has let the client in by other means. False by default. */
  readonly allowPreauth?: boolean | undefined;
  /**
   * What to enable after the login, of what the server offers. Default: IMAP4rev2, or else UTF8=ACCEPT. Nothing where it
   * is empty.
   */
  readonly enable?: readonly string[] | undefined;
  /** Compresses after the login, where the server can (RFC 4978). False by default. */
  readonly compress?: boolean | undefined;
  /** How much may be inflated. */
  readonly deflate?: DeflateOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The TLS mode of a connection that is to be made. */
export function tlsModeOf({
  tls,
  path,
  port,
}: {
  readonly tls?: SessionOptions["tls"];
  readonly path?: string | undefined;
  readonly port?: number | undefined;
}): "implicit" | "starttls" | "none" {
  if (tls !== undefined) return tls;
  if (path !== undefined) return "none";
  return port === 143 ? "starttls" : "implicit";
}

/** Everything up to the first command of the caller. */
export async function begin(connection: Connection, options: SessionOptions): Promise<void> {
  const op: OpOptions = { signal: options.signal };
  const greeting = await withDeadline("the greeting", op, () => connection.greeting);
  // Whoever stands in between could make the client skip STARTTLS this way: nothing may be sent.
  if (greeting.status === "PREAUTH" && (options.tls === "starttls" || options.allowPreauth !== true))
    throw unexpectedPreauth();
  if (options.tls === "starttls") {
    const { host, tlsOptions } = options;
    await startTls(connection, { ...(host !== undefined && { serverName: host }), ...tlsOptions }, op);
  }
  await needed(connection, op);
  if (options.auth !== undefined && connection.state.state === "not-authenticated") {
    await login(connection, options.auth, { ...op, allowClearText: options.allowClearText });
    await needed(connection, op);
  }
  if (connection.state.state === "authenticated") await prepare(connection, options, op);
}

/** Asks for the capabilities if they are not known. */
export async function needed(connection: Connection, options: OpOptions): Promise<void> {
  if (!connection.state.knowsCapabilities) await connection.run(capability(connection.state), options);
}

async function prepare(connection: Connection, options: SessionOptions, op: OpOptions): Promise<void> {
  const { state } = connection;
  const offered = (name: string): boolean => state.capabilities.has(name.toUpperCase());
  const usual = offered("IMAP4rev2") && offered("IMAP4rev1") ? ["IMAP4rev2"] : ["UTF8=ACCEPT"];
  const wanted = (options.enable ?? usual).filter(offered);
  if (wanted.length > 0 && state.has("ENABLE")) await connection.run(enable(wanted), op);
  if (options.compress === true && offered("COMPRESS=DEFLATE")) await compress(connection, options, op);
}

/**
 * STARTTLS: RFC 9051 section 6.2.1. What was learned in the clear is forgotten.
 *
 * @throws {UnsupportedError} the server does not offer it.
 */
export async function startTls(
  connection: Connection,
  tls: TlsClientOptions,
  options: OpOptions,
): Promise<TlsInfo> {
  await needed(connection, options);
  if (!connection.state.has("STARTTLS"))
    throw new UnsupportedError("STARTTLS", "the server does not offer STARTTLS", { usable: true });
  let info: TlsInfo | undefined;
  const switchOver = async (): Promise<void> => {
    info = await connection.startTls(tls, options);
    connection.state.reset();
  };
  await connection.run({ ...plain("STARTTLS"), switchOver }, options);
  await needed(connection, options);
  return info as TlsInfo;
}

/** COMPRESS DEFLATE: RFC 4978. Whatever follows the server's OK is compressed already. */
export async function compress(
  connection: Connection,
  options: SessionOptions,
  op: OpOptions,
): Promise<void> {
  if (!connection.state.has("COMPRESS=DEFLATE"))
    throw new UnsupportedError("COMPRESS=DEFLATE", "the server does not offer COMPRESS=DEFLATE", {
      usable: true,
    });
  const switchOver = (): Promise<void> => {
    connection.replaceTransport((transport, ahead) => deflated(transport, ahead, options.deflate));
    return Promise.resolve();
  };
  await connection.run({ ...plain("COMPRESS", atom("DEFLATE")), switchOver }, op);
}
