/** Delivery without a server of one's own: straight to the servers of each recipient's domain (RFC 5321 section 5). */
import { domainToASCII } from "node:url";
import { Deadline } from "../core/deadline.js";
import {
  BrokenError,
  DeadlineError,
  LocalProtocolError,
  SocketError,
  UnsupportedError,
} from "../core/errors.js";
import { type Resolver, systemResolver } from "../transport/dns.js";
import { SmtpClient, type SmtpClientOptions } from "./client.js";
import type { SendOptions } from "./client-delivery.js";
import { parseMailbox } from "./codec-path.js";
import type { Message } from "./content.js";
import { SmtpError } from "./errors.js";
import type { SendResult, SmtpEnvelope, SmtpRecipient } from "./types.js";

/** How to reach the servers of the recipients. */
export interface DeliverOptions extends Omit<SmtpClientOptions, "host" | "auth">, SendOptions {
  /** Looks up MX records and addresses. Default: the system's. */
  readonly resolver?: Resolver | undefined;
}

/** What became of the recipients of one domain. */
export interface DomainResult {
  readonly domain: string;
  /** The server that took the message, or refused it for good. */
  readonly exchange?: string | undefined;
  readonly result?: SendResult | undefined;
  /** Why nobody of this domain has got the message. */
  readonly error?: unknown;
}

/**
 * Sends a message to the mail exchangers of each recipient's domain, the preferred ones first. A server that cannot be
 * reached, does not answer or breaks off, lacks the STARTTLS that was asked for, or says "later" to the connection, is
 * followed by the next, unless the message may have been accepted.
 *
 * What became of each domain is always told: when the time is over or the signal given, that is the error of those that
 * had not come to an end.
 *
 * TLS is `"none"` unless asked for: between servers it is not verified in general, and MTA-STS and DANE are not
 * supported yet. With `tls: "starttls"` only servers with a good certificate get the message.
 */
export async function deliver(
  envelope: SmtpEnvelope,
  message: string | Uint8Array | { readonly bytes: Uint8Array },
  options: DeliverOptions = {},
): Promise<readonly DomainResult[]> {
  const domains = [...byDomain(envelope)];
  using clock = new Deadline("delivering", options);
  const over = new AbortController();
  clock.race(new Promise<never>(() => {})).catch((reason: unknown) => over.abort(reason));
  const within = { ...options, signal: over.signal, timeoutMs: undefined };
  return await Promise.all(
    domains.map(([domain, to]) => deliverTo(domain, { ...envelope, to }, message, within)),
  );
}

function byDomain({ to }: SmtpEnvelope): Map<string, SmtpRecipient[]> {
  const domains = new Map<string, SmtpRecipient[]>();
  for (const one of typeof to === "string" ? [to] : to) {
    const recipient = typeof one === "string" ? { address: one } : one;
    const domain = parseMailbox(recipient.address)?.domain ?? "";
    if (domain === "") throw new LocalProtocolError(`${JSON.stringify(recipient.address)} has no domain`);
    const key = domain.startsWith("[") ? domain : domainToASCII(domain);
    domains.set(key, [...(domains.get(key) ?? []), recipient]);
  }
  return domains;
}

async function deliverTo(
  domain: string,
  envelope: SmtpEnvelope,
  message: Message,
  options: DeliverOptions,
): Promise<DomainResult> {
  let last: DomainResult = { domain };
  try {
    for (const exchange of await exchangesOf(domain, options)) {
      const { next, ...outcome } = await deliverBy(exchange, envelope, message, options);
      last = { domain, exchange, ...outcome };
      if (next !== true || options.signal?.aborted === true) return last;
    }
    return last;
  } catch (error) {
    return { domain, error };
  }
}

/** RFC 5321 section 5.1. An address literal is its own exchanger. */
async function exchangesOf(domain: string, options: DeliverOptions): Promise<readonly string[]> {
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(domain)?.[1];
  if (literal !== undefined) return [literal];
  const resolver = options.resolver ?? systemResolver();
  return (await resolver.mx(domain, { signal: options.signal })).map(({ exchange }) => exchange);
}

/** What became of the message at one exchanger, and whether the next one should be asked. */
interface Attempt extends Pick<DomainResult, "result" | "error"> {
  readonly next?: boolean;
}

async function deliverBy(
  host: string,
  envelope: SmtpEnvelope,
  message: Message,
  options: DeliverOptions,
): Promise<Attempt> {
  let client: SmtpClient | undefined;
  try {
    client = await SmtpClient.connect({
      ...options,
      host,
      port: options.port ?? 25,
      tls: options.tls ?? "none",
    });
    return { result: await client.send(envelope, message, options) };
  } catch (error) {
    return { error, next: client?.inDoubt === undefined && isWorthAnother(error) };
  } finally {
    await client?.[Symbol.asyncDispose]();
  }
}

/** The next exchanger may do better: this one could not be reached, broke off, or turned the client away for now. */
function isWorthAnother(error: unknown): boolean {
  if (error instanceof SmtpError) return !error.permanent && error.recipient === undefined;
  return [SocketError, BrokenError, DeadlineError, UnsupportedError].some((kind) => error instanceof kind);
}
