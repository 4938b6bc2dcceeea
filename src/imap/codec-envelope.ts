/** ENVELOPE: RFC 9051 section 7.5.2. */

import type { TokenReader } from "./codec-tokens.js";
import { closeStructure, hasField, nstringField } from "./codec-tolerant.js";
import type { Envelope, EnvelopeAddress } from "./types-message.js";

const open = 0x28;
const close = 0x29;
const noAddresses: readonly EnvelopeAddress[] = Object.freeze([]);

/** envelope. What is wrong in it is noted as a defect, and the rest is read all the same. */
export function envelope(r: TokenReader): Envelope {
  r.spaces();
  if (!r.accept(open)) {
    r.defect("ENVELOPE is no list");
    if (!r.done && r.byte !== close) r.skipValue();
    return emptyEnvelope;
  }
  const found: Envelope = {
    date: nstringField(r, "the date"),
    subject: nstringField(r, "the subject"),
    from: addresses(r, "from"),
    sender: addresses(r, "sender"),
    replyTo: addresses(r, "reply-to"),
    to: addresses(r, "to"),
    cc: addresses(r, "cc"),
    bcc: addresses(r, "bcc"),
    inReplyTo: nstringField(r, "in-reply-to"),
    messageId: nstringField(r, "the message-id"),
  };
  if (!r.accept(close)) closeStructure(r, "ENVELOPE", false);
  return found;
}

/** The envelope of a message of which nothing is known. */
export const emptyEnvelope: Envelope = Object.freeze({
  ...{ date: null, subject: null, inReplyTo: null, messageId: null },
  ...{ from: noAddresses, sender: noAddresses, replyTo: noAddresses },
  ...{ to: noAddresses, cc: noAddresses, bcc: noAddresses },
});

/** env-from and its like: NIL or a list of addresses. */
function addresses(r: TokenReader, what: string): readonly EnvelopeAddress[] {
  r.spaces();
  if (r.nil()) return noAddresses;
  if (!r.accept(open)) return wrongAddresses(r, what);
  if (r.byte === close) r.defect(`${what} is an empty list`);
  const found: EnvelopeAddress[] = [];
  while (hasField(r)) {
    const one = address(r, what);
    if (one !== undefined) found.push(one);
    if (found.length > r.limits.maxItems) r.fail("a list is too long");
  }
  if (!r.accept(close)) r.defect(`${what} is not closed`);
  return found;
}

function wrongAddresses(r: TokenReader, what: string): readonly EnvelopeAddress[] {
  nstringField(r, what);
  r.defect(`${what} is no list`);
  return noAddresses;
}

/** address: name, at-domain-list, mailbox, host. */
function address(r: TokenReader, what: string): EnvelopeAddress | undefined {
  if (!r.accept(open)) {
    r.defect(`an address of ${what} is no list`);
    r.skipValue();
    return undefined;
  }
  const found = {
    name: nstringField(r, "a name"),
    route: nstringField(r, "a route"),
    mailbox: nstringField(r, "a mailbox"),
    host: nstringField(r, "a host"),
  };
  if (!r.accept(close)) closeStructure(r, "an address", false);
  return found;
}
