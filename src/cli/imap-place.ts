/** IMAP URLs (RFC 5092): a server, a mailbox, a message, a part. */
import { InvalidArgumentError } from "commander";
import { ImapClient } from "../imap/index.js";
import { type ConnectionOptions, clientOptions, credentialsOf, type ServerPlace } from "./mail-options.js";

/** What a URL names. */
export interface ImapPlace extends ServerPlace {
  readonly scheme: "imap" | "imaps";
  readonly mailbox?: string;
  readonly uidValidity?: number;
  readonly uid?: number;
  /** `HEADER`, `1.2`, `TEXT`. */
  readonly section?: string;
}

/** `imap://user@host:port/INBOX;UIDVALIDITY=1/;UID=20/;SECTION=1.2`: userinfo, authority, path, parameters. */
const form =
  /^(imaps?):\/\/(?:([^@/;:]+)(?:;[^@/]*)?@)?(\[[0-9A-Fa-f:.]+\]|[^/:@[\]]+)(?::(\d{1,5}))?(?:\/(.*))?$/i;

/** Commander's parser of an IMAP URL. */
export function imapPlace(text: string): ImapPlace {
  const [, scheme = "", user, host = "", port, path = ""] = form.exec(text) ?? [];
  if (scheme === "")
    throw new InvalidArgumentError("It looks like imap://user@host/INBOX or imaps://host/INBOX/;UID=1.");
  try {
    return {
      scheme: scheme.toLowerCase() === "imaps" ? "imaps" : "imap",
      host: host.replace(/^\[|\]$/g, ""),
      ...(port !== undefined && { port: Number(port) }),
      ...(user !== undefined && { user: decodeURIComponent(user) }),
      ...parametersOf(path),
    };
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError("It has a % that begins no byte.");
  }
}

function parametersOf(path: string): Partial<ImapPlace> {
  const [mailbox = "", ...parameters] = path.replace(/\/+$/, "").split(/\/?;/);
  let place: Partial<ImapPlace> = mailbox === "" ? {} : { mailbox: decodeURIComponent(mailbox) };
  for (const parameter of parameters) {
    const [, name = "", value = ""] = /^([A-Za-z]+)=(.+)$/.exec(parameter) ?? [];
    place = { ...place, ...parameterOf(name.toUpperCase(), decodeURIComponent(value)) };
  }
  return place;
}

function parameterOf(name: string, value: string): Partial<ImapPlace> {
  if (name === "SECTION") return { section: value };
  if ((name === "UID" || name === "UIDVALIDITY") && /^[1-9]\d{0,9}$/.test(value))
    return name === "UID" ? { uid: Number(value) } : { uidValidity: Number(value) };
  throw new InvalidArgumentError(
    "Behind the mailbox stand ;UIDVALIDITY=, /;UID= and /;SECTION=, and nothing else.",
  );
}

/** Connects and logs in. imaps:// means TLS from the first byte, imap:// STARTTLS. */
export async function connectTo(
  place: ImapPlace,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ImapClient> {
  const auth = await credentialsOf(place, options);
  return await ImapClient.connect({
    ...{ tls: place.scheme === "imaps" ? ("implicit" as const) : ("starttls" as const) },
    ...clientOptions(options),
    ...(place.host !== undefined && { host: place.host }),
    ...(place.port !== undefined && { port: place.port }),
    ...(auth !== undefined && { auth }),
    signal,
  });
}
