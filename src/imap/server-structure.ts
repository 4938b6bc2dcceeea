/** ENVELOPE and BODYSTRUCTURE out of a message's structure: RFC 9051 section 7.5.2. */
import {
  type Address,
  asciiParameter,
  type BodyPart,
  type MailAddress,
  type Envelope as MailEnvelope,
  type MessageContent,
  type MessageStructure,
  type Parameter,
  scanStructure,
} from "../mail/index.js";
import type { BodyParameters, BodyStructure, Envelope, EnvelopeAddress } from "./types-message.js";

/** What is told of a message again and again. */
interface Described {
  readonly envelope: Envelope;
  readonly body: BodyStructure;
}

/** Kept as long as the content itself is. */
const described = new WeakMap<MessageContent, Described>();

/** A message's structure, read anew. */
export async function structureOf(content: MessageContent): Promise<{
  readonly structure: MessageStructure;
  readonly bytes: Uint8Array;
}> {
  const bytes = await content.bytes();
  return { structure: scanStructure(bytes), bytes };
}

/** The envelope and the structure of a message, which are made once. */
export async function describe(content: MessageContent): Promise<Described> {
  const known = described.get(content);
  if (known !== undefined) return known;
  const { structure } = await structureOf(content);
  const made = { envelope: envelopeOf(structure.envelope), body: bodyOf(structure.root, []) };
  described.set(content, made);
  return made;
}

function envelopeOf(envelope: MailEnvelope): Envelope {
  return {
    date: textOf(envelope.date),
    subject: textOf(envelope.subject),
    from: addressesOf(envelope.from),
    sender: addressesOf(envelope.sender),
    replyTo: addressesOf(envelope.replyTo),
    to: addressesOf(envelope.to),
    cc: addressesOf(envelope.cc),
    bcc: addressesOf(envelope.bcc),
    inReplyTo: textOf(envelope.inReplyTo),
    messageId: textOf(envelope.messageId),
  };
}

/** A string of IMAP holds no NUL, whatever the message has. */
function textOf(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll("\0", "");
}

const groupEnd: EnvelopeAddress = { name: null, route: null, mailbox: null, host: null };

function addressesOf(addresses: readonly Address[]): EnvelopeAddress[] {
  return addresses.flatMap((address) =>
    address.kind === "mailbox"
      ? [addressOf(address)]
      : [{ ...groupEnd, mailbox: textOf(address.name) }, ...address.members.map(addressOf), groupEnd],
  );
}

/** A host that is missing is empty, and not NIL: that would begin a group. */
function addressOf({ name, route, localPart, domain }: MailAddress): EnvelopeAddress {
  return {
    name: textOf(name || undefined),
    route: textOf(route || undefined),
    mailbox: textOf(localPart),
    host: textOf(domain),
  };
}

function bodyOf(part: BodyPart, path: readonly number[]): BodyStructure {
  return part.type === "multipart" ? multipartOf(part, path) : singleOf(part, path);
}

function commonOf(part: BodyPart) {
  const { disposition, language } = part;
  return {
    ...{ type: textOf(part.type) ?? "", subtype: textOf(part.subtype) ?? "" },
    parameters: parametersOf(part.parameters),
    disposition:
      disposition === undefined
        ? null
        : { type: textOf(disposition.type) ?? "", parameters: parametersOf(disposition.parameters) },
    language: language === undefined ? null : language.map((one) => textOf(one) ?? ""),
    location: textOf(part.location),
  };
}

function parametersOf(parameters: readonly Parameter[]): BodyParameters {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const { name, value } = asciiParameter(parameter);
      return [textOf(name) ?? "", textOf(value) ?? ""];
    }),
  );
}

function multipartOf(part: BodyPart, path: readonly number[]): BodyStructure {
  const parts = part.parts.map((each, index) => bodyOf(each, [...path, index + 1]));
  return { kind: "multipart", part: path.join("."), ...commonOf(part), parts };
}

function singleOf(part: BodyPart, path: readonly number[]): BodyStructure {
  const own = path.length === 0 ? [1] : path;
  const { message } = part;
  return {
    ...{ kind: "single", part: own.join("."), ...commonOf(part) },
    ...{
      id: textOf(part.id),
      description: textOf(part.description),
      encoding: textOf(part.encoding) ?? "7bit",
    },
    ...{ octets: part.octets, lines: part.lines ?? null, md5: textOf(part.md5) },
    envelope: message === undefined ? null : envelopeOf(message.envelope),
    body: message === undefined ? null : bodyOf(message.root, own),
  };
}
