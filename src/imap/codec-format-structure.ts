/** ENVELOPE and BODYSTRUCTURE as servers send them: RFC 9051 section 7.5.2. */
import { type ResponseWriter, wireNumber } from "./codec-response-writer.js";
import type {
  BodyDisposition,
  BodyMultipart,
  BodyParameters,
  BodySinglePart,
  BodyStructure,
  Envelope,
  EnvelopeAddress,
} from "./types-message.js";

/** `(date subject from sender reply-to to cc bcc in-reply-to message-id)` */
export function formatEnvelope(w: ResponseWriter, envelope: Envelope): void {
  w.text("(").nstring(envelope.date).text(" ").nstring(envelope.subject);
  const { from, sender, replyTo, to, cc, bcc } = envelope;
  for (const addresses of [from, sender, replyTo, to, cc, bcc]) formatAddresses(w.text(" "), addresses);
  w.text(" ").nstring(envelope.inReplyTo).text(" ").nstring(envelope.messageId).text(")");
}

function formatAddresses(w: ResponseWriter, addresses: readonly EnvelopeAddress[]): void {
  if (addresses.length === 0) {
    w.text("NIL");
    return;
  }
  w.text("(");
  for (const { name, route, mailbox, host } of addresses)
    w.text("(")
      .nstring(name)
      .text(" ")
      .nstring(route)
      .text(" ")
      .nstring(mailbox)
      .text(" ")
      .nstring(host)
      .text(")");
  w.text(")");
}

/** body. With `extended`, as BODYSTRUCTURE has it; without, as BODY. */
export function formatBodyStructure(w: ResponseWriter, body: BodyStructure, extended: boolean): void {
  w.text("(");
  if (body.kind === "multipart") formatMultipart(w, body, extended);
  else formatSingle(w, body, extended);
  w.text(")");
}

function formatMultipart(w: ResponseWriter, body: BodyMultipart, extended: boolean): void {
  // The grammar has no multipart without parts; an empty text stands for what is not there.
  if (body.parts.length === 0) w.text('("text" "plain" NIL NIL NIL "7bit" 0 0)');
  for (const part of body.parts) formatBodyStructure(w, part, extended);
  w.text(" ").string(body.subtype);
  if (!extended) return;
  formatParameters(w.text(" "), body.parameters);
  formatCommonExtension(w, body);
}

function formatSingle(w: ResponseWriter, body: BodySinglePart, extended: boolean): void {
  w.string(body.type).text(" ").string(body.subtype).text(" ");
  formatParameters(w, body.parameters);
  w.text(" ").nstring(body.id).text(" ").nstring(body.description).text(" ").string(body.encoding);
  w.text(` ${wireNumber(body.octets)}`);
  if (body.envelope !== null && body.body !== null) {
    formatEnvelope(w.text(" "), body.envelope);
    formatBodyStructure(w.text(" "), body.body, extended);
  }
  if (body.lines !== null) w.text(` ${wireNumber(body.lines)}`);
  if (!extended) return;
  w.text(" ").nstring(body.md5);
  formatCommonExtension(w, body);
}

function formatCommonExtension(w: ResponseWriter, { disposition, language, location }: BodyStructure): void {
  formatDisposition(w.text(" "), disposition);
  w.text(" ");
  if (language === null || language.length === 0) w.text("NIL");
  else if (language.length === 1) w.string(language[0] as string);
  else w.list(language, (one) => w.string(one));
  w.text(" ").nstring(location);
}

function formatDisposition(w: ResponseWriter, disposition: BodyDisposition | null): void {
  if (disposition === null) {
    w.text("NIL");
    return;
  }
  w.text("(").string(disposition.type).text(" ");
  formatParameters(w, disposition.parameters);
  w.text(")");
}

function formatParameters(w: ResponseWriter, parameters: BodyParameters): void {
  const entries = Object.entries(parameters);
  if (entries.length === 0) w.text("NIL");
  else w.list(entries, ([name, value]) => w.string(name).text(" ").string(value));
}
