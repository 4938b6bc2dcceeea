/** IMAP's ENVELOPE: the header's fields that a list of messages shows. RFC 9051 section 7.5.2. */
import type { Limits } from "../core/limits.js";
import { type Address, scanAddressList } from "./addresses.js";
import type { HeaderBlock } from "./headers.js";

/** The envelope in IMAP's sense, from the header alone; what SMTP was told stands in `SmtpEnvelope`. */
export interface Envelope {
  /** The `Date` field as written. */
  readonly date?: string | undefined;
  /** The `Subject` field, unfolded; encoded words stay as they are. */
  readonly subject?: string | undefined;
  readonly from: readonly Address[];
  /** As `from` where the header has none, which is what RFC 9051 demands. */
  readonly sender: readonly Address[];
  /** As `from` where the header has none. */
  readonly replyTo: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly inReplyTo?: string | undefined;
  readonly messageId?: string | undefined;
}

/** Makes the envelope of a header and says what was wrong with its addresses. It never throws. */
export function scanEnvelope(
  headers: HeaderBlock,
  limits?: Limits,
): { envelope: Envelope; defects: string[] } {
  const defects: string[] = [];
  const list = (name: string, values: readonly string[]): readonly Address[] =>
    values.flatMap((value) => {
      const scan = scanAddressList(value, limits);
      defects.push(...scan.defects.map((defect) => `${name}: ${defect}`));
      return scan.addresses;
    });
  // Of what may stand once the first counts, so that a second From cannot take its place.
  const one = (name: string): readonly Address[] => list(name, headers.all(name).slice(0, 1));
  const all = (name: string): readonly Address[] => list(name, headers.all(name));
  const from = one("from");
  const envelope: Envelope = {
    ...{ date: headers.get("date"), subject: headers.get("subject"), from },
    ...{ sender: orElse(one("sender"), from), replyTo: orElse(all("reply-to"), from) },
    ...{ to: all("to"), cc: all("cc"), bcc: all("bcc") },
    ...{ inReplyTo: headers.get("in-reply-to"), messageId: headers.get("message-id") },
  };
  return { envelope, defects };
}

function orElse(addresses: readonly Address[], from: readonly Address[]): readonly Address[] {
  return addresses.length === 0 ? from : addresses;
}
