/** The messages that the mail suites send and fetch; the Python peers make the same ones. */

const header = [
  "From: Bench <bench@example.org>",
  "To: Sink <sink@example.org>",
  "Subject: a message of the bench",
  "Message-ID: <bench@example.org>",
  "",
  "",
].join("\r\n");

/** A message of so many bytes in lines of 72 characters, all of them ASCII. With `dots` every line begins with a dot. */
export function messageOf(bytes: number, { dots = false }: { readonly dots?: boolean } = {}): Uint8Array {
  const line = `${dots ? "." : "x"}${"abcdefghijklmnopqrstuvwxyz ".repeat(3).slice(0, 71)}\r\n`;
  const body = line.repeat(Math.ceil((bytes - header.length) / line.length));
  return new TextEncoder().encode(`${header}${body}`.slice(0, bytes - 2).concat("\r\n"));
}
