/** Writing header fields: RFC 5322 sections 2.2 and 2.2.3. */
import { LocalProtocolError } from "../core/errors.js";

const fieldName = /^[!-9;-~]+$/;
/** RFC 5322 section 2.1.1 wishes for 78 characters and demands 998. */
const wishedChars = 78;

/**
 * One field with its line end, folded at white space into lines of 78 characters where that is possible.
 *
 * @throws {LocalProtocolError} the name is no field name, or the value holds CR, LF, NUL or another control character.
 */
export function formatHeaderField(name: string, value: string): string {
  checkHeaderName(name);
  checkHeaderValue(value, `the header field ${name}`);
  return `${fold(`${name}: ${value}`)}\r\n`;
}

/** Throws a `LocalProtocolError` where the name is not one that a field may have (RFC 5322 section 3.6.8). */
export function checkHeaderName(name: string): void {
  if (!fieldName.test(name)) throw new LocalProtocolError("a header field's name holds what it may not");
}

/** Throws a `LocalProtocolError` where the text holds a control character other than a tab: it could end the field. */
export function checkHeaderValue(value: string, what: string): void {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f)
      throw new LocalProtocolError(`${what} holds a control character (CR, LF, NUL or the like)`);
  }
}

function fold(line: string): string {
  if (line.length <= wishedChars) return line;
  const lines: string[] = [];
  let current = "";
  // A line of white space alone would end the header for some readers, so words keep what stands before them.
  for (const [word] of line.matchAll(/[ \t]*[^ \t]+|[ \t]+$/g)) {
    const fits = current.length + word.length <= wishedChars;
    const first = lines.length === 0 && /^[^ \t]*:?$/.test(current);
    if (fits || first || current === "" || word.trim() === "") current += word;
    else {
      lines.push(current);
      current = word;
    }
  }
  lines.push(current);
  return lines.join("\r\n");
}
