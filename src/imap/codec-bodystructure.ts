/** BODY and BODYSTRUCTURE: RFC 9051 section 7.5.2. The tree is built once, and what is wrong in it becomes a defect. */
import { emptyEnvelope, envelope } from "./codec-envelope.js";
import type { TokenReader } from "./codec-tokens.js";
import { closeStructure, hasField, nstringField, numberField } from "./codec-tolerant.js";
import type {
  BodyDisposition,
  BodyMultipart,
  BodyParameters,
  BodySinglePart,
  BodyStructure,
} from "./types-message.js";

const open = 0x28;
const close = 0x29;
const noParameters: BodyParameters = Object.freeze({});

/** body: a multipart or a single part. `part` is its number, empty at the top. */
export function bodyStructure(r: TokenReader, part = "", depth = 0): BodyStructure {
  if (depth > r.limits.maxDepth) r.fail("BODYSTRUCTURE is too deep");
  r.spaces();
  if (!r.accept(open)) return wrongBody(r, part);
  r.spaces();
  if (r.byte === open) return multipart(r, part, depth);
  if (r.byte === close) return emptyBody(r, part);
  const type = lower(nstringField(r, "a part's type"));
  r.spaces();
  if (r.byte === open || isMultipartAnyhow(r, type)) return partlessMultipart(r, part, type);
  return single(r, part === "" ? "1" : part, type, depth);
}

function wrongBody(r: TokenReader, part: string): BodyStructure {
  r.defect("a part is no list");
  if (!r.done && r.byte !== close) r.skipValue();
  return { ...textPart, part: part === "" ? "1" : part };
}

function emptyBody(r: TokenReader, part: string): BodyStructure {
  r.accept(close);
  r.defect("a part is an empty list");
  return { ...textPart, part: part === "" ? "1" : part };
}

/** What stands for a part that cannot be read. */
const textPart: Omit<BodySinglePart, "part"> = {
  ...{ kind: "single", type: "text", subtype: "plain", parameters: noParameters, id: null },
  ...{ description: null, encoding: "7bit", octets: 0, lines: 0, md5: null, envelope: null, body: null },
  ...{ disposition: null, language: null, location: null },
};

/** body-type-mpart: parts, subtype, and perhaps extension data. */
function multipart(r: TokenReader, part: string, depth: number): BodyMultipart {
  const parts: BodyStructure[] = [];
  const prefix = part === "" ? "" : `${part}.`;
  while (r.byte === open || r.nil()) {
    if (parts.length >= r.limits.maxItems) r.fail("a multipart has too many parts");
    if (r.byte === open) parts.push(bodyStructure(r, `${prefix}${parts.length + 1}`, depth + 1));
    else r.defect("a part is NIL");
    r.spaces();
  }
  return multipartTail(r, part, parts, lower(nstringField(r, "a multipart's subtype")));
}

const multipartSubtypes = new Set(["mixed", "alternative", "related", "report", "signed", "digest"]);

/** seen: servers that describe a multipart without parts as `("MULTIPART" "MIXED" …)` or `(NIL "MIXED" …)`. */
function isMultipartAnyhow(r: TokenReader, type: string): boolean {
  if (type === "multipart") return true;
  if (type !== "") return false;
  const from = r.pos;
  const isOne = r.byte === 0x22 && multipartSubtypes.has(lower(r.quoted()));
  r.pos = from;
  return isOne;
}

function partlessMultipart(r: TokenReader, part: string, word: string): BodyMultipart {
  r.defect("a multipart has no parts");
  const subtype =
    word === "multipart" || word === "" ? lower(nstringField(r, "a multipart's subtype")) : word;
  return multipartTail(r, part, [], subtype);
}

function multipartTail(
  r: TokenReader,
  part: string,
  parts: readonly BodyStructure[],
  subtype: string,
): BodyMultipart {
  if (subtype === "") r.defect("a multipart has no subtype");
  const parameters = hasField(r) ? parameterList(r) : noParameters;
  const disposition = hasField(r) ? dispositionField(r) : null;
  const language = hasField(r) ? languageField(r) : null;
  const location = hasField(r) ? nstringField(r, "a location") : null;
  if (!r.accept(close)) closeStructure(r, "a multipart", true);
  return {
    kind: "multipart",
    part,
    type: "multipart",
    subtype: subtype === "" ? "mixed" : subtype,
    parameters,
    parts,
    disposition,
    language,
    location,
  };
}

/** body-type-1part: body-fields, then what text and message parts add, then extension data. */
function single(r: TokenReader, part: string, typeSent: string, depth: number): BodySinglePart {
  const subtypeSent = lower(nstringField(r, "a subtype"));
  if (typeSent === "" || subtypeSent === "") r.defect("a part has no type or subtype");
  const type = typeSent === "" ? "text" : typeSent;
  const subtype = subtypeSent === "" ? (type === "text" ? "plain" : "octet-stream") : subtypeSent;
  const parameters = parameterList(r);
  const id = nstringField(r, "an id");
  const description = nstringField(r, "a description");
  const encoding = encodingField(r);
  const octets = numberField(r, "the octets of a part") ?? 0;
  const isMessage = type === "message" && (subtype === "rfc822" || subtype === "global");
  const inner = isMessage ? message(r, part, depth) : noMessage;
  const lines = linesField(r, type, isMessage);
  const md5 = hasField(r) ? nstringField(r, "an md5") : null;
  const disposition = hasField(r) ? dispositionField(r) : null;
  const language = hasField(r) ? languageField(r) : null;
  const location = hasField(r) ? nstringField(r, "a location") : null;
  if (!r.accept(close)) closeStructure(r, "a part", true);
  // One literal with all fields in one order: every part has the same shape for the engine.
  return {
    kind: "single",
    part,
    type,
    subtype,
    parameters,
    id,
    description,
    encoding,
    octets,
    lines,
    md5,
    envelope: inner.envelope,
    body: inner.body,
    disposition,
    language,
    location,
  };
}

function encodingField(r: TokenReader): string {
  const encoding = nstringField(r, "an encoding");
  if (encoding === null || encoding === "") r.defect("a part has no encoding");
  return encoding === null || encoding === "" ? "7bit" : lower(encoding);
}

interface Inner {
  readonly envelope: BodySinglePart["envelope"];
  readonly body: BodyStructure | null;
}

const noMessage: Inner = { envelope: null, body: null };

/** What a message/rfc822 holds: its envelope and its body. A multipart in it keeps the number, a single part is its `.1`. */
function message(r: TokenReader, part: string, depth: number): Inner {
  if (!hasField(r) || r.byte !== open) {
    // seen: Exchange, GMX: a message part described like any other file.
    if (r.nil()) {
      if (hasField(r) && r.byte === open) return nilEnvelope(r, part, depth);
    }
    r.defect("a message part has no envelope");
    return noMessage;
  }
  const found = envelope(r);
  if (!hasField(r) || r.byte !== open) {
    r.defect("a message part has no body");
    r.nil();
    return { envelope: found, body: null };
  }
  return { envelope: found, body: innerBody(r, part, depth) };
}

function nilEnvelope(r: TokenReader, part: string, depth: number): Inner {
  r.defect("a message part has no envelope");
  return { envelope: emptyEnvelope, body: innerBody(r, part, depth) };
}

function innerBody(r: TokenReader, part: string, depth: number): BodyStructure {
  const from = r.pos;
  let at = from + 1;
  while (r.text[at] === 0x20) at += 1;
  return bodyStructure(r, r.text[at] === open ? part : `${part}.1`, depth + 1);
}

/** The lines of a text or message part. seen: servers that leave them out, and such as count those of other parts. */
function linesField(r: TokenReader, type: string, isMessage: boolean): number | null {
  const due = type === "text" || isMessage;
  const more = hasField(r);
  const isNumber = more && r.byte >= 0x30 && r.byte <= 0x39;
  if (due && !isNumber) return missingLines(r);
  if (!isNumber) return null;
  if (!due) r.defect(`a ${type} part has lines`);
  return numberField(r, "the lines of a part");
}

function missingLines(r: TokenReader): number {
  r.defect("the lines of a part are missing");
  // `-1`, `NIL` and `"12"` stand in the place of the number and are taken; an md5 or a disposition is not.
  const from = r.pos;
  const word =
    hasField(r) && r.byte !== open ? r.text.toString("latin1", from, from + r.skipValue().length) : "";
  const quotedNumber = /^"?(-?[0-9]{1,15})"?$/.exec(word)?.[1];
  // NIL before a list is the md5, for the list is the disposition.
  const isLines = quotedNumber !== undefined || (/^NIL$/i.test(word) && hasField(r) && r.byte !== open);
  if (!isLines) r.pos = from;
  return Math.max(0, Number(quotedNumber ?? 0));
}

/** body-fld-param: names in lower case. */
function parameterList(r: TokenReader): BodyParameters {
  r.spaces();
  if (r.nil()) return noParameters;
  if (!r.accept(open)) return wrongParameters(r);
  if (r.byte === close) r.defect("a parameter list is empty");
  const parameters: Record<string, string> = {};
  for (let from = -1; hasField(r) && r.pos !== from; ) {
    from = r.pos;
    parameter(r, parameters);
  }
  if (!r.accept(close)) r.defect("a parameter list is not closed");
  return parameters;
}

function parameter(r: TokenReader, parameters: Record<string, string>): void {
  const name = lower(nstringField(r, "a parameter's name"));
  const value = nstringField(r, "a parameter's value");
  if (name === "") return;
  if (name === "__proto__") r.defect("a parameter is called __proto__");
  else parameters[name] = value ?? "";
}

function wrongParameters(r: TokenReader): BodyParameters {
  if (r.done || r.byte === close) r.defect("the parameters are missing");
  else {
    r.defect("the parameters are no list");
    r.skipValue();
  }
  return noParameters;
}

/** body-fld-dsp: NIL, or a type with parameters. */
function dispositionField(r: TokenReader): BodyDisposition | null {
  if (r.nil()) return null;
  if (!r.accept(open)) return wrongDisposition(r);
  r.spaces();
  if (r.accept(close)) {
    r.defect("a disposition is an empty list");
    return null;
  }
  const type = lower(nstringField(r, "a disposition"));
  const parameters = hasField(r) ? parameterList(r) : missingParameters(r);
  if (!r.accept(close)) closeStructure(r, "a disposition", false);
  return { type, parameters };
}

function missingParameters(r: TokenReader): BodyParameters {
  r.defect("a disposition has no parameters");
  return noParameters;
}

function wrongDisposition(r: TokenReader): BodyDisposition | null {
  const type = lower(nstringField(r, "a disposition"));
  r.defect("a disposition is no list");
  return type === "" ? null : { type, parameters: noParameters };
}

/** body-fld-lang: NIL, one language, or a list of them. */
function languageField(r: TokenReader): readonly string[] | null {
  if (r.byte !== open) {
    const one = nstringField(r, "a language");
    return one === null ? null : [one];
  }
  r.accept(open);
  const languages: string[] = [];
  for (let from = -1; hasField(r) && r.pos !== from; ) {
    from = r.pos;
    languages.push(nstringField(r, "a language") ?? "");
  }
  if (!r.accept(close)) r.defect("the languages are not closed");
  return languages;
}

const lowered = new Map<string, string>();

/** Lower case, found rather than made for the few words that come again and again. */
function lower(word: string | null): string {
  if (word === null) return "";
  const known = lowered.get(word);
  if (known !== undefined) return known;
  const made = word.toLowerCase();
  if (lowered.size < 512 && word.length <= 24) lowered.set(word, made);
  return made;
}
