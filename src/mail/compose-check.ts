/** What a message may be composed of: everything that reaches a header is looked at here. */
import { HawserError, LocalProtocolError } from "../core/errors.js";
import { type Address, parseAddressList } from "./addresses.js";
import type { AddressInput } from "./compose-types.js";
import { checkHeaderName, checkHeaderValue } from "./headers-format.js";

/** Fields that `compose` writes itself, or that must never be written. */
const ownFields = new Set(
  (
    "from sender to cc bcc reply-to subject date message-id in-reply-to references mime-version content-type " +
    "content-transfer-encoding content-disposition content-id dkim-signature return-path"
  ).split(" "),
);

/** A custom field: a name of its own, and values on one line. */
export function checkField(name: string, value: string): string {
  checkHeaderName(name);
  if (ownFields.has(name.toLowerCase()))
    throw new LocalProtocolError(`the header field ${name} has an option of its own, or is not the caller's`);
  checkHeaderValue(value, `the header field ${name}`);
  return value;
}

/** Text for a header: no control characters. */
export function checkText<T extends string | undefined>(value: T, what: string): T {
  if (value !== undefined) checkHeaderValue(value, what);
  return value;
}

/** A message identifier or Content-ID: with or without its angle brackets, and nothing else (RFC 5322 section 3.6.4). */
export function checkId(id: string, what: string): string {
  checkHeaderValue(id, what);
  const inner = id.startsWith("<") && id.endsWith(">") ? id.slice(1, -1) : id;
  if (inner === "" || /[<>\s"(),;\\]/.test(inner))
    throw new LocalProtocolError(`${what} is not a message identifier`);
  return `<${inner}>`;
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;.*)?$/;

/** `type/subtype`, with parameters perhaps. */
export function checkMediaType<T extends string | undefined>(value: T, what: string): T {
  if (value === undefined) return value;
  checkHeaderValue(value, what);
  if (!mediaType.test(value)) throw new LocalProtocolError(`${what} is not a media type`);
  return value;
}

/** A token: an iCalendar method, a DKIM selector; with `international`, a domain that may be beyond ASCII. */
export function checkToken(value: string, what: string, international = false): string {
  if (!(international ? /^[\w.\x80-\uffff-]+$/ : /^[\w.-]+$/).test(value))
    throw new LocalProtocolError(`${what} holds a character that it may not`);
  return value;
}

/** A URL for a `List-` field: in angle brackets it must hold neither them nor white space (RFC 2369 section 2). */
export function checkListUrl(url: string): string {
  checkHeaderValue(url, "a list URL");
  if (!/^[a-z][a-z0-9+.-]*:[^\s<>,]+$/i.test(url)) throw new LocalProtocolError("a list URL is not a URL");
  return url;
}

/** The addresses of an option. What does not parse cannot be sent. */
export function addressesOf(
  input: AddressInput | readonly AddressInput[] | undefined,
  what: string,
): readonly Address[] {
  const inputs = input === undefined ? [] : isList(input) ? input : [input];
  return inputs.flatMap((each) => (typeof each === "string" ? parsed(each, what) : [checked(each, what)]));
}

function isList(input: AddressInput | readonly AddressInput[]): input is readonly AddressInput[] {
  return Array.isArray(input);
}

function parsed(text: string, what: string): readonly Address[] {
  checkHeaderValue(text, what);
  try {
    return parseAddressList(text);
  } catch (error) {
    if (error instanceof HawserError)
      throw new LocalProtocolError(`${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

function checked({ name, address }: Exclude<AddressInput, string>, what: string): Address {
  const [first, ...rest] = parsed(address, what);
  if (first?.kind !== "mailbox" || rest.length > 0 || first.name !== "")
    throw new LocalProtocolError(`${what} is not one address`);
  return { ...first, name: checkText(name ?? "", `the name of ${what}`) };
}
