/** The answer to CAPA (RFC 2449), both directions. */
import type { Pop3Capabilities } from "./types.js";

/** A server that does not know CAPA, or lists nothing. */
export const noCapabilities: Pop3Capabilities = parseCapabilities([]);

/**
 * Takes the lines of a CAPA reply apart. Keywords stand in whatever case; a keyword that comes twice keeps the arguments
 * of both, as some servers give each SASL mechanism a line.
 */
export function parseCapabilities(lines: readonly string[]): Pop3Capabilities {
  const keywords = new Map<string, string>();
  for (const line of lines) {
    // Some servers write SASL=PLAIN.
    const [, keyword = "", found = ""] = /^[ \t]*([!-<>-~]+)(?:[ \t=]+(.*))?$/.exec(line) ?? [];
    const key = keyword.toUpperCase();
    if (key === "") continue;
    const known = keywords.get(key);
    keywords.set(key, known === undefined ? found.trim() : `${known} ${found.trim()}`.trim());
  }
  return capabilitiesOf(keywords);
}

function capabilitiesOf(keywords: ReadonlyMap<string, string>): Pop3Capabilities {
  return {
    keywords,
    top: keywords.has("TOP"),
    uidl: keywords.has("UIDL"),
    user: keywords.has("USER"),
    stls: keywords.has("STLS"),
    pipelining: keywords.has("PIPELINING"),
    responseCodes: keywords.has("RESP-CODES"),
    authResponseCode: keywords.has("AUTH-RESP-CODE"),
    sasl: wordsOf(keywords.get("SASL")),
    expireDays: expireOf(keywords.get("EXPIRE")),
    expirePerUser: isPerUser(keywords.get("EXPIRE")),
    loginDelaySeconds: numberOf(keywords.get("LOGIN-DELAY")),
    loginDelayPerUser: isPerUser(keywords.get("LOGIN-DELAY")),
    implementation: keywords.get("IMPLEMENTATION"),
    utf8: keywords.has("UTF8"),
    utf8User: wordsOf(keywords.get("UTF8")).has("USER"),
    lang: keywords.has("LANG"),
  };
}

function wordsOf(text: string | undefined): ReadonlySet<string> {
  return new Set((text ?? "").toUpperCase().split(/\s+/).filter(Boolean));
}

/** RFC 2449 section 6.7: `EXPIRE 60`, `EXPIRE NEVER`, `EXPIRE 0`. */
function expireOf(text: string | undefined): number | "never" | undefined {
  return /^never\b/i.test(text ?? "") ? "never" : numberOf(text);
}

function numberOf(text: string | undefined): number | undefined {
  const digits = /^\d{1,15}(?=\s|$)/.exec(text ?? "")?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** RFC 2449 sections 6.5 and 6.7: the word USER says that the value is another one after the login. */
function isPerUser(text: string | undefined): boolean {
  return /\sUSER$/i.test(text ?? "");
}

/** The lines of a CAPA reply. */
export function formatCapabilities(keywords: ReadonlyMap<string, string>): readonly string[] {
  return Array.from(keywords, ([keyword, text]) => `${keyword} ${text}`.trimEnd());
}
