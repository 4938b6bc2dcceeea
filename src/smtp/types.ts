/** The data of SMTP: what both sides, and whoever writes a handler, speak of. */

/** A reply (RFC 5321 section 4.2). */
export interface SmtpReply {
  /** 200 to 599. */
  readonly code: number;
  /** The enhanced status code of RFC 3463, such as `5.1.1`. */
  readonly enhancedCode?: string | undefined;
  /** The text, line by line, without codes. */
  readonly lines: readonly string[];
}

/** The services that a server has announced (RFC 5321 section 4.1.1.1), with their parameters. */
export interface SmtpExtensions {
  /** The name that the server gave itself. */
  readonly domain: string;
  /** Every keyword in capitals, with its parameters as they came. */
  readonly keywords: ReadonlyMap<string, string>;
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly chunking: boolean;
  readonly binaryMime: boolean;
  readonly dsn: boolean;
  readonly enhancedStatusCodes: boolean;
  readonly startTls: boolean;
  readonly requireTls: boolean;
  /** RFC 1870: the largest message in octets, 0 where no limit was named, `undefined` without the extension. */
  readonly sizeOctets: number | undefined;
  /** RFC 4865: the longest hold in seconds and the latest date of release. */
  readonly futureRelease: FutureReleaseLimits | undefined;
  /** RFC 2852: the shortest time in seconds that can be asked for; 0 where the server named none. */
  readonly deliverBySeconds: number | undefined;
  /** RFC 6710: the profile's name, which may be empty. */
  readonly mtPriority: string | undefined;
  /** RFC 9422. */
  readonly limits: SmtpLimits;
  /** The SASL mechanisms, in capitals. */
  readonly auth: ReadonlySet<string>;
  /** The attributes that XCLIENT takes. */
  readonly xclient: ReadonlySet<string>;
}

/** RFC 4865 section 3. */
export interface FutureReleaseLimits {
  readonly maxIntervalSeconds: number;
  readonly maxDateTime: string;
}

/** RFC 9422 section 4: what a server says it takes. */
export interface SmtpLimits {
  readonly mailMax?: number | undefined;
  readonly rcptMax?: number | undefined;
  readonly rcptDomainMax?: number | undefined;
}

/** When a recipient's server is to report (RFC 3461 section 4.1). */
export type DsnNotify = "never" | readonly ("success" | "failure" | "delay")[];

/** One recipient of a message. */
export interface SmtpRecipient {
  /** `alice@example.test`. */
  readonly address: string;
  /** Which reports to send. */
  readonly notify?: DsnNotify | undefined;
  /** The recipient as it was first written, for reports: `rfc822;alice@example.test`. */
  readonly originalRecipient?: string | undefined;
}

/** How a message is to be delivered. What the server does not offer is refused before anything is sent. */
export interface MailOptions {
  /** RFC 6152 and RFC 3030: how the message is encoded. Found out where it is held in memory. */
  readonly body?: "7bit" | "8bitmime" | "binarymime" | undefined;
  /** RFC 3461 section 4.3: whether reports carry the whole message or its header. */
  readonly returnContent?: "full" | "headers" | undefined;
  /** RFC 3461 section 4.4: a name for the message in reports. */
  readonly envelopeId?: string | undefined;
  /** RFC 8689: every server on the way must use TLS. */
  readonly requireTls?: boolean | undefined;
  /** RFC 4865: hold the message for so many seconds. */
  readonly holdForSeconds?: number | undefined;
  /** RFC 4865: hold the message until then. */
  readonly holdUntil?: Date | undefined;
  /** RFC 2852: deliver within so many seconds, or send it back or only tell. */
  readonly deliverBy?:
    | { readonly seconds: number; readonly mode: "return" | "notify"; readonly trace?: boolean }
    | undefined;
  /** RFC 6710: from -9 to 9. */
  readonly priority?: number | undefined;
  /** RFC 4954 section 5: who has handed the message in, `<>` where that is unknown. */
  readonly authenticatedSender?: string | undefined;
}

/** Whom a message is from and to, and how it travels: the envelope, which is not the message's header. */
export interface SmtpEnvelope extends MailOptions {
  /** The reverse path: where failures are reported to. `""` for a report itself. */
  readonly from: string;
  readonly to: string | readonly (string | SmtpRecipient)[];
}

/** What became of a message. */
export interface SendResult {
  readonly accepted: readonly string[];
  readonly rejected: readonly { readonly address: string; readonly reply: SmtpReply }[];
  /** The server's last word on the message. */
  readonly reply: SmtpReply;
  /** With LMTP, the word on each recipient (RFC 2033 section 4.2). */
  readonly replies?: ReadonlyMap<string, SmtpReply> | undefined;
  /** The name that the server gave the message, where its reply shows one. */
  readonly queueId?: string | undefined;
}

/** A command as the server reads it. */
export interface SmtpCommand {
  /** In capitals. */
  readonly verb: string;
  /** What stands behind the verb and its spaces. */
  readonly argument: string;
}

/** MAIL or RCPT taken apart (RFC 5321 section 4.1.2). */
export interface PathCommand {
  /** The mailbox without its angle brackets; `""` is the null reverse path. */
  readonly path: string;
  /** Whether a source route stood before it (RFC 5321 appendix C), which was passed over. */
  readonly sourceRoute: boolean;
  /** Parameters by their names in capitals; `""` where there is no value. */
  readonly parameters: ReadonlyMap<string, string>;
}
