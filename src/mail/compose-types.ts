/** What `compose` takes and gives. */
import type { KeyObject } from "node:crypto";
import type { Secret } from "../core/secret.js";

/** An address list as text, `Alice <alice@example.test>, bob@example.test`, or one address with its name. */
export type AddressInput = string | { readonly name?: string | undefined; readonly address: string };

/** Where the bytes of a part come from; text is written in UTF-8. */
export type ContentSource = string | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A file that goes with the message. */
export interface AttachmentInput {
  readonly content: ContentSource;
  /** Its name, in any script. A name is made up where there is none. */
  readonly filename?: string | undefined;
  /** Its media type; by default what the name's ending says, else `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /** A Content-ID: HTML shows the file by `cid:` and this. With or without angle brackets. */
  readonly cid?: string | undefined;
  /** Default: `inline` for images with a `cid` and for messages, else `attachment`. */
  readonly disposition?: "attachment" | "inline" | undefined;
}

/** Another form of the same text. */
export interface AlternativeInput {
  readonly content: ContentSource;
  readonly contentType: string;
}

/** A calendar event, as a form of the text and as a file (RFC 6047). */
export interface CalendarInput {
  readonly content: string | Uint8Array;
  /** The iTIP method. Default `PUBLISH`. */
  readonly method?: string | undefined;
  /** Default `invite.ics`. */
  readonly filename?: string | undefined;
}

/** The fields of mailing lists: RFC 2369, RFC 2919, RFC 8058. Each is a URL or several. */
export interface ListFields {
  readonly help?: string | readonly string[] | undefined;
  readonly unsubscribe?: string | readonly string[] | undefined;
  readonly subscribe?: string | readonly string[] | undefined;
  readonly post?: string | readonly string[] | undefined;
  readonly owner?: string | readonly string[] | undefined;
  readonly archive?: string | readonly string[] | undefined;
  /** The list's identifier: `news.example.test`. */
  readonly id?: string | undefined;
  /** Adds `List-Unsubscribe-Post: List-Unsubscribe=One-Click`. */
  readonly oneClick?: boolean | undefined;
}

/** A DKIM signature: `rsa-sha256`, relaxed/relaxed (RFC 6376, RFC 8301). */
export interface DkimOptions {
  /** The signing domain, `d=`. */
  readonly domain: string;
  /** The selector, `s=`: the key stands at `selector._domainkey.domain`. */
  readonly selector: string;
  /** An RSA key of at least 1024 bits, in PEM or as a key object. */
  readonly privateKey: string | Secret | KeyObject;
  /** The fields to sign, by name. Default: those of RFC 6376 section 5.4.1. */
  readonly headerFields?: readonly string[] | undefined;
}

/** A message to be made. */
export interface ComposeOptions {
  readonly from: AddressInput;
  readonly sender?: AddressInput | undefined;
  readonly to?: AddressInput | readonly AddressInput[] | undefined;
  readonly cc?: AddressInput | readonly AddressInput[] | undefined;
  /** Recipients that stand in the envelope alone. */
  readonly bcc?: AddressInput | readonly AddressInput[] | undefined;
  readonly replyTo?: AddressInput | readonly AddressInput[] | undefined;
  readonly subject?: string | undefined;
  readonly text?: ContentSource | undefined;
  readonly html?: ContentSource | undefined;
  /** Further forms of the text, the best last. */
  readonly alternatives?: readonly AlternativeInput[] | undefined;
  readonly attachments?: readonly AttachmentInput[] | undefined;
  readonly icalEvent?: CalendarInput | undefined;
  /** With or without angle brackets. */
  readonly inReplyTo?: string | undefined;
  readonly references?: string | readonly string[] | undefined;
  /** Default: random, in the domain of `from`. */
  readonly messageId?: string | undefined;
  /** Default: now. */
  readonly date?: Date | undefined;
  /** Further fields. Those that have an option here are refused. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly list?: ListFields | undefined;
  readonly priority?: "high" | "normal" | "low" | undefined;
  /** The SMTP envelope where it is not that of the header: bounces go to `from`, the message to `to`. */
  readonly envelope?:
    | { readonly from?: string | undefined; readonly to?: readonly string[] | undefined }
    | undefined;
  /** One signature or several. */
  readonly dkim?: DkimOptions | readonly DkimOptions[] | undefined;
}

/** A message that was made, and its envelope. */
export interface ComposedEnvelope {
  /** The reverse-path and the recipients, each once, without names. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** With its angle brackets. */
  readonly messageId: string;
  /** Whether an address needs SMTPUTF8 (RFC 6531): its local part is not ASCII. */
  readonly smtpUtf8: boolean;
}

/** A message in memory; every line ends with CR LF. */
export interface ComposedMessage extends ComposedEnvelope {
  readonly bytes: Uint8Array;
}

/** A message that is made while it is read, once; every line ends with CR LF. */
export interface ComposedStream extends ComposedEnvelope {
  readonly content: AsyncIterable<Uint8Array>;
}
