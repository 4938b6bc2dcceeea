/** Text from the network made safe to print: in errors, traces and on a terminal. */

/** Control characters, those that turn or hide text, and line ends beyond ASCII. */
const unsafe: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with what a terminal or a log would act upon as `\xNN` or `\u{NNNN}`. */
export function printable(text: string): string {
  return text.replace(unsafe, escaped);
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
