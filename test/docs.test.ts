/**
 * The documentation's code: a block behind `<!-- example: NAME.ts -->` is that example, and every other block compiles
 * as a program of its own, against the package as a user has it. One behind `<!-- run -->` needs nothing and is run.
 * `HAWSER_UPDATE=1` writes the examples into the pages.
 */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { root, run } from "./child.js";
import { withoutHeader } from "./example-lines.js";

interface Block {
  /** Where it stands, for messages. */
  readonly place: string;
  readonly code: string;
  /** The example that it shows. */
  readonly example: string | undefined;
  /** Whether it runs by itself, to its end. */
  readonly runs: boolean;
}

const blockPattern = /(?:<!-- example: (\S+) -->\n+)?```ts\n([\s\S]*?)```/g;

const pages = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && !path.startsWith("api"))
    .map((path) => join("docs", path)),
];

function read(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

function exampleCode(name: string): string {
  return withoutHeader(read(join("examples", name)));
}

function blocksOf(page: string): Block[] {
  const text = read(page);
  return Array.from(text.matchAll(blockPattern), (match) => {
    const [, example, code = ""] = match;
    const line = text.slice(0, match.index).split("\n").length;
    const runs = text.slice(0, match.index).endsWith("<!-- run -->\n");
    return { place: `${page}:${line}`, code, example, runs };
  });
}

if (process.env["HAWSER_UPDATE"] === "1") {
  for (const page of pages) {
    const text = read(page).replace(blockPattern, (block, example?: string) =>
      example === undefined ? block : `<!-- example: ${example} -->\n\`\`\`ts\n${exampleCode(example)}\`\`\``,
    );
    if (text !== read(page)) writeFileSync(join(root, page), text);
  }
}

const blocks = pages.flatMap(blocksOf);

test("the blocks that show an example show it as it is", () => {
  const shown = blocks.filter(({ example }) => example !== undefined);
  assert.ok(shown.length > 0);
  for (const { place, code, example = "" } of shown) assert.equal(code, exampleCode(example), place);
});

test("every other block compiles", () => {
  const folder = userFolder();
  try {
    const snippets = blocks.filter(({ example }) => example === undefined);
    const files = snippets.map(({ code }, index) => {
      const file = join(folder, `snippet-${index}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      return file;
    });
    const problems = ts
      .getPreEmitDiagnostics(ts.createProgram(files, compilerOptions(folder)))
      .map(({ file, messageText }) => {
        const index = Number(/\d+/.exec(basename(file?.fileName ?? "")) ?? -1);
        return `${snippets[index]?.place ?? file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
      });
    assert.deepEqual(problems, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the blocks that need nothing run to their end", async () => {
  const folder = userFolder();
  const running = blocks.filter(({ runs }) => runs);
  assert.ok(running.length > 0);
  try {
    for (const [index, { place, code }] of running.entries()) {
      const file = join(folder, `program-${index}.js`);
      const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
      writeFileSync(file, ts.transpileModule(code, { compilerOptions: options }).outputText);
      const { code: exitCode, stderr } = await run([file]);
      assert.equal(exitCode, 0, `${place}: ${stderr}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A folder in which `import "hawser"` finds this package. */
function userFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hawser-docs-"));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/hawser"));
  symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

function compilerOptions(folder: string): ts.CompilerOptions {
  return {
    ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
    ...{
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [join(folder, "node_modules/@types")],
    },
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
}

test("every link leads to a file", () => {
  for (const page of pages) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      assert.ok(!/^\w+:/.test(target), `${page} has a link out of the repository: ${target}`);
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}`);
    }
  }
});

test("every page of docs stands in its index", () => {
  const index = read("docs/README.md");
  for (const page of pages.filter((path) => path.startsWith("docs/tutorial/"))) {
    assert.ok(index.includes(page.slice("docs/".length)), page);
  }
});
