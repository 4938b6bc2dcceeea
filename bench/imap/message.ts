/** The messages of the bench's mailboxes. */

const encoder = new TextEncoder();
const plainText = lines("The quick brown fox jumps over the lazy dog, and the dog sleeps on.", 12);
const html = lines("<p>The quick brown fox jumps over the <b>lazy</b> dog, and so on.</p>", 28);
const file = lines("JVBERi0xLjcKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZU", 54);

/** Message `n`: some 8.2 KB, a multipart/mixed of an alternative and an attachment. No two are the same. */
export function multipart(n: number): Uint8Array {
  const [outer, inner] = [`=_outer_${n}`, `=_inner_${n}`];
  return encoder.encode(
    [
      `Date: Mon, 7 Feb 2022 21:${pad(Math.floor(n / 60) % 60)}:${pad(n % 60)} -0800`,
      `From: "Person Number ${n % 97}" <user${n % 313}@example${n % 7}.org>`,
      `To: "Recipient ${n % 89}" <recipient${n % 211}@example.net>, team@example.com`,
      `Subject: Subject of message ${n} about a thing`,
      `Message-ID: <B27397-0100000.${n}@example.org>`,
      ...["MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="${outer}"`, "", `--${outer}`],
      ...[`Content-Type: multipart/alternative; boundary="${inner}"`, "", `--${inner}`],
      ...["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""],
      ...[plainText, `--${inner}`],
      ...["Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""],
      ...[html, `--${inner}--`, "", `--${outer}`],
      `Content-Type: application/pdf; name="report-${n}.pdf"`,
      `Content-Disposition: attachment; filename="report-${n}.pdf"`,
      ...["Content-Transfer-Encoding: base64", "", file, `--${outer}--`, ""],
    ].join("\r\n"),
  );
}

function lines(line: string, count: number): string {
  return `${line}\r\n`.repeat(count);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
