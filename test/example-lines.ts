/** How the lines of an example are counted: what a reader has to understand, and nothing that every program has. */

/** The lines of a program, without imports, blank lines and comments. */
export function countLines(source: string): number {
  const code = source
    .replace(/^\s*\/\*[\s\S]*?\*\/\n/gm, "")
    .replace(/^import [^;]*;\n/gm, "")
    .replace(/^\s*\/\/.*\n/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "").length;
}

/** An example as the documentation shows it: without the comment at its head. */
export function withoutHeader(source: string): string {
  return source.replace(/^\/\*\*[\s\S]*?\*\/\n/, "");
}
