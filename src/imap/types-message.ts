/** What FETCH tells of a message, as plain data: RFC 9051 section 7.5.2. */

/** An address of an ENVELOPE. A group begins with a mailbox and no host and ends with neither (RFC 9051 section 7.5.2). */
export interface EnvelopeAddress {
  /** The display name as it stands in the header, encoded words and all. */
  readonly name: string | null;
  /** The at-domain-list (source route): obsolete, nearly always null. */
  readonly route: string | null;
  readonly mailbox: string | null;
  readonly host: string | null;
}

/** The header fields of a message that ENVELOPE gives. NIL is null; a NIL address list is empty. */
export interface Envelope {
  readonly date: string | null;
  readonly subject: string | null;
  readonly from: readonly EnvelopeAddress[];
  readonly sender: readonly EnvelopeAddress[];
  readonly replyTo: readonly EnvelopeAddress[];
  readonly to: readonly EnvelopeAddress[];
  readonly cc: readonly EnvelopeAddress[];
  readonly bcc: readonly EnvelopeAddress[];
  readonly inReplyTo: string | null;
  readonly messageId: string | null;
}

/** Parameters of a body part: names in lower case. */
export type BodyParameters = Readonly<Record<string, string>>;

/** How a part asks to be shown: RFC 2183. */
export interface BodyDisposition {
  /** In lower case: `attachment`, `inline`. */
  readonly type: string;
  readonly parameters: BodyParameters;
}

/** What a single part and a multipart have in common. */
interface BodyBase {
  /** The number by which BODY[…] asks for it: `1.2`; empty for a multipart at the top. */
  readonly part: string;
  /** In lower case: `text`, `multipart`. */
  readonly type: string;
  /** In lower case: `plain`, `mixed`. */
  readonly subtype: string;
  readonly parameters: BodyParameters;
  /** Null where there is none, and in a BODY, which has no extension data; so are the next two. */
  readonly disposition: BodyDisposition | null;
  readonly language: readonly string[] | null;
  readonly location: string | null;
}

/** A part that is not a multipart. */
export interface BodySinglePart extends BodyBase {
  readonly kind: "single";
  readonly id: string | null;
  readonly description: string | null;
  /** The Content-Transfer-Encoding in lower case. */
  readonly encoding: string;
  /** The size as transferred, still encoded. */
  readonly octets: number;
  /** The lines of a text or message part; null for others. */
  readonly lines: number | null;
  readonly md5: string | null;
  /** The envelope of a message/rfc822 or message/global; null for others. */
  readonly envelope: Envelope | null;
  /** The structure of the message within; null for others. */
  readonly body: BodyStructure | null;
}

/** A part that holds parts. */
export interface BodyMultipart extends BodyBase {
  readonly kind: "multipart";
  readonly parts: readonly BodyStructure[];
}

/** The tree of a message's parts: BODY or BODYSTRUCTURE. */
export type BodyStructure = BodySinglePart | BodyMultipart;

/** What of a section is meant: all of it, its header, … (RFC 9051 section 6.4.5.1). */
export type SectionText = "" | "HEADER" | "HEADER.FIELDS" | "HEADER.FIELDS.NOT" | "TEXT" | "MIME";

/** What stands between the brackets of BODY[…]. */
export interface Section {
  /** The part's number, `1.2`; empty for the whole message. */
  readonly part: string;
  readonly text: SectionText;
  /** The header field names of HEADER.FIELDS and HEADER.FIELDS.NOT; else empty. */
  readonly fields: readonly string[];
}

/** A literal that was handed out as a stream: its value is not here. */
export interface StreamedLiteral {
  readonly streamed: true;
  readonly octets: number;
  /** Which of the frame's literals it is, from 0. */
  readonly index: number;
}

/** The octets of a section, null for NIL, or a note that they went out as a stream. */
export type SectionData = Uint8Array | StreamedLiteral | null;

/** A BODY[section]<origin> of a FETCH response. */
export interface BodySectionData {
  readonly section: Section;
  /** Where the octets begin, when only some were asked for. */
  readonly origin: number | undefined;
  readonly data: SectionData;
}

/** A BINARY[part]<origin> of a FETCH response: decoded by the server (RFC 3516, RFC 9051). */
export interface BinarySectionData {
  readonly part: string;
  readonly origin: number | undefined;
  readonly data: SectionData;
}

/** Everything that one FETCH response may say of a message; what was not sent is not there. */
export interface FetchAttributes {
  uid?: number;
  flags?: readonly string[];
  internalDate?: Date;
  /** RFC822.SIZE, in octets. */
  size?: number;
  envelope?: Envelope;
  /** BODY: without extension data. */
  body?: BodyStructure;
  bodyStructure?: BodyStructure;
  sections?: BodySectionData[];
  binary?: BinarySectionData[];
  binarySize?: { readonly part: string; readonly octets: number }[];
  rfc822?: SectionData;
  rfc822Header?: SectionData;
  rfc822Text?: SectionData;
  /** MODSEQ: RFC 7162. */
  modSeq?: bigint;
  /** EMAILID and THREADID: RFC 8474. */
  emailId?: string;
  threadId?: string | null;
  /** SAVEDATE: RFC 8514. */
  saveDate?: Date | null;
  /** PREVIEW: RFC 8970. */
  preview?: string | null;
  /** X-GM-MSGID, X-GM-THRID, X-GM-LABELS of Gmail. */
  gmailMessageId?: bigint;
  gmailThreadId?: bigint;
  gmailLabels?: readonly string[];
  /** Items that hawser does not know, as they were sent. */
  other?: { readonly name: string; readonly raw: Uint8Array }[];
}
