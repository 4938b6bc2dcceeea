/** APOP (RFC 1939 section 7): the timestamp of a greeting and the digest over it. */

/**
 * RFC 822's msg-id in ASCII, with something on both sides of one `@`. Whatever else stands in the greeting is not taken:
 * a man in the middle who may choose the whole text can work out the password (CVE-2007-1558).
 */
const messageId = /<[!-;=?A-~]{1,255}@[!-;=?A-~]{1,255}>/;

/** The timestamp of a greeting; `undefined` where there is none that is a msg-id of ASCII characters. */
export function apopTimestamp(greeting: string): string | undefined {
  const found = messageId.exec(greeting)?.[0];
  // One text in angle brackets, and in it one @: more than that is not a msg-id.
  const whole = /<[^<>]*>/.exec(greeting)?.[0];
  return found !== undefined && found === whole ? found : undefined;
}
