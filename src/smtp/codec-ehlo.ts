/** The answer to EHLO: which extensions there are (RFC 5321 section 4.1.1.1). Both directions. */
import type { FutureReleaseLimits, SmtpExtensions, SmtpLimits, SmtpReply } from "./types.js";

/** A server that knows HELO alone. */
export const noExtensions: SmtpExtensions = extensionsOf("", new Map());

/** Takes an EHLO reply apart. Lines that are no keyword are passed over, as old servers chat there. */
export function parseEhlo(reply: SmtpReply): SmtpExtensions {
  const [greeting = "", ...lines] = reply.lines;
  const keywords = new Map<string, string>();
  for (const line of lines) {
    // Some servers write AUTH=PLAIN for the sake of clients older than RFC 4954.
    const [, keyword = "", parameters = ""] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =]+(.*))?$/.exec(line) ?? [];
    const key = keyword.toUpperCase();
    if (key === "") continue;
    const known = keywords.get(key);
    keywords.set(key, known === undefined ? parameters.trim() : `${known} ${parameters.trim()}`.trim());
  }
  return extensionsOf(greeting.split(" ", 1)[0] ?? "", keywords);
}

function extensionsOf(domain: string, keywords: ReadonlyMap<string, string>): SmtpExtensions {
  return {
    domain,
    keywords,
    pipelining: keywords.has("PIPELINING"),
    eightBitMime: keywords.has("8BITMIME"),
    smtpUtf8: keywords.has("SMTPUTF8"),
    chunking: keywords.has("CHUNKING"),
    binaryMime: keywords.has("BINARYMIME"),
    dsn: keywords.has("DSN"),
    enhancedStatusCodes: keywords.has("ENHANCEDSTATUSCODES"),
    startTls: keywords.has("STARTTLS"),
    requireTls: keywords.has("REQUIRETLS"),
    sizeOctets: numberOf(keywords.get("SIZE")),
    futureRelease: futureReleaseOf(keywords.get("FUTURERELEASE")),
    deliverBySeconds: numberOf(keywords.get("DELIVERBY")),
    mtPriority: keywords.get("MT-PRIORITY"),
    limits: limitsOf(keywords.get("LIMITS")),
    auth: wordsOf(keywords.get("AUTH")),
    xclient: wordsOf(keywords.get("XCLIENT")),
  };
}

/** A number, 0 where the keyword stands alone. */
function numberOf(parameter: string | undefined): number | undefined {
  if (parameter === undefined) return undefined;
  const digits = /^\d{1,15}/.exec(parameter)?.[0];
  return digits === undefined ? 0 : Number(digits);
}

function wordsOf(parameters: string | undefined): ReadonlySet<string> {
  return new Set((parameters ?? "").toUpperCase().split(/\s+/).filter(Boolean));
}

/** RFC 4865 section 4: `FUTURERELEASE 432000 2026-12-01T00:00:00Z`. */
function futureReleaseOf(parameters: string | undefined): FutureReleaseLimits | undefined {
  if (parameters === undefined) return undefined;
  const [seconds = "", maxDateTime = ""] = parameters.split(" ");
  return { maxIntervalSeconds: numberOf(seconds) ?? 0, maxDateTime };
}

/** RFC 9422 section 3: `LIMITS MAILMAX=10 RCPTMAX=100`. */
function limitsOf(parameters: string | undefined): SmtpLimits {
  const limits = new Map(
    (parameters ?? "").split(/\s+/).map((word) => {
      const [name = "", value] = word.split("=", 2);
      return [name.toUpperCase(), numberOf(value)] as const;
    }),
  );
  return {
    mailMax: limits.get("MAILMAX"),
    rcptMax: limits.get("RCPTMAX"),
    rcptDomainMax: limits.get("RCPTDOMAINMAX"),
  };
}

/** The reply to EHLO: the greeting, and a line for each keyword. */
export function formatEhlo(domain: string, keywords: ReadonlyMap<string, string>): SmtpReply {
  const lines = [...keywords].map(([keyword, parameters]) => `${keyword} ${parameters}`.trimEnd());
  return { code: 250, lines: [domain, ...lines] };
}
