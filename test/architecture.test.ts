/**
 * The law: which folder may import which. CONTRIBUTING.md shows the same table in words. Every import counts: static,
 * `import type`, `export … from`, `import()`, and `require("…")` in any form.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import ts from "typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

const protocols = ["smtp", "pop3", "imap", "ftp", "nntp", "telnet", "gopher", "http", "xmlrpc"];
const protocolLaw = ["core", "wire", "sasl", "mail", "files", "transport", "engine"];

/** What each folder may import besides itself. "entries": the index.ts of any folder, and nothing deeper. */
const law: Readonly<Record<string, readonly string[] | "entries">> = {
  "": ["core"], // src/index.ts
  core: [],
  wire: ["core"],
  sasl: ["core"],
  socket: ["core"],
  transport: ["core"],
  engine: ["core", "wire", "sasl", "transport"],
  mail: ["core", "wire"],
  files: ["core", "wire"],
  ...Object.fromEntries(protocols.map((name) => [name, protocolLaw])),
  xmlrpc: [...protocolLaw, "http"],
  testing: ["core", "wire", "transport", "engine"],
  ...{ url: "entries", serve: "entries", lab: "entries", cli: "entries" },
};

/** Exceptions for single files, by the path of the importing file. */
const fileLaw: readonly { readonly file: RegExp; readonly also: string; readonly lazily: boolean }[] = [
  { file: /^transport\/proxy\//, also: "wire", lazily: false },
  { file: /^transport\/bsd\.ts$/, also: "socket", lazily: true },
];

/** Files that do no I/O, and the few modules of Node that do none either. */
const pureFile = /^(core|wire|sasl)\/|^mail\/(store|structure|headers|addresses)[^/]*\.ts$/;
const codecFile = new RegExp(`^(${protocols.join("|")})/(types|codec)[^/]*\\.ts$`);
const codecLaw = pureFile;
const pureModules = [
  "node:buffer",
  "node:diagnostics_channel",
  "node:string_decoder",
  "node:url",
  "node:util",
];

/** The folders (or files) that may use each package; none is imported before it is needed, except by the cli. */
const packages: Readonly<Record<string, RegExp>> = {
  koffi: /^socket\/native\//,
  "@mongodb-js/saslprep": /^sasl\//,
  "postal-mime": /^mail\/parse\.ts$/,
  nodemailer: /^mail\/compose\.ts$/,
  saxes: /^xmlrpc\//,
  socks: /^transport\/proxy\//,
  undici: /^url\//,
  "tough-cookie": /^(url|http)\//,
  commander: /^cli\//,
  "cli-progress": /^cli\//,
  "@peculiar/x509": /^(testing|serve|lab)\//,
};

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** "now": as the module loads; "later": `import()` and `require()`; "type": gone once compiled. */
  readonly when: "now" | "later" | "type";
}

/** Why the file may not import this, or undefined. Paths are those under src. */
function breach(file: string, { specifier, when }: Import): string | undefined {
  if (specifier.startsWith("node:")) return builtinBreach(file, specifier);
  if (!specifier.startsWith(".") && !/^hawser(\/|$)/.test(specifier))
    return packageBreach(file, specifier, when);
  const target = targetOf(file, specifier);
  const folder = folderOf(file);
  const other = folderOf(target);
  const allowed = law[folder];
  if (allowed === undefined) return `the folder ${folder} is not in the law`;
  if (codecFile.test(file)) {
    const own = other === folder && codecFile.test(target);
    return own || codecLaw.test(target) ? undefined : "types and codecs import only pure files";
  }
  if (pureFile.test(file) && other === folder && !pureFile.test(target))
    return "a pure file imports only pure files";
  if (other === folder) return clientServerBreach(file, target);
  if (allowed === "entries")
    return /^(?:[^/]+\/)?index\.ts$/.test(target) ? undefined : "only entry points, no deep paths";
  if (allowed.includes(other)) return undefined;
  const exception = fileLaw.find((rule) => rule.file.test(file) && rule.also === other);
  if (exception === undefined) return `${folder || "src/index.ts"} may not import ${other || "src/index.ts"}`;
  return exception.lazily && when === "now" ? `${other} is loaded on first use here` : undefined;
}

function builtinBreach(file: string, specifier: string): string | undefined {
  if (specifier === "node:ffi")
    return folderOf(file) === "socket" ? packageBreach(file, "koffi", "type") : "no FFI here";
  if (!pureFile.test(file) && !codecFile.test(file)) return undefined;
  if (pureModules.includes(specifier) || (specifier === "node:crypto" && folderOf(file) === "sasl"))
    return undefined;
  return `a pure file does no I/O and does not need ${specifier}`;
}

function packageBreach(file: string, specifier: string, when: Import["when"]): string | undefined {
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (packages[name] === undefined) return `the package ${name} is not in the law`;
  if (!packages[name].test(file)) return `${name} is not for this file`;
  return when === "now" && folderOf(file) !== "cli" ? `${name} is loaded on first use` : undefined;
}

function clientServerBreach(file: string, target: string): string | undefined {
  const pair = [basename(file), basename(target)].sort().join();
  return pair === "client.ts,server.ts" ? "a client and a server never import each other" : undefined;
}

/** The path under src that a relative import, or one of the package by its own name, stands for. */
function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts");
  return posix.join(specifier.replace(/^hawser\/?/, ""), "index.ts");
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function importsOf(text: string): Import[] {
  const source = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const [literal, when] = importIn(node);
    if (literal !== undefined && ts.isStringLiteralLike(literal)) {
      const line = source.getLineAndCharacterOfPosition(literal.getStart(source)).line + 1;
      found.push({ specifier: literal.text, line, when });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function importIn(node: ts.Node): [ts.Node | undefined, Import["when"]] {
  if (ts.isImportDeclaration(node)) {
    return [
      node.moduleSpecifier,
      node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "now",
    ];
  }
  if (ts.isExportDeclaration(node)) return [node.moduleSpecifier, node.isTypeOnly ? "type" : "now"];
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return [node.argument.literal, "type"];
  if (ts.isCallExpression(node) && loads(node.expression)) return [node.arguments[0], "later"];
  return [undefined, "now"];
}

/** `import(…)`, `require(…)`, `createRequire(…)(…)`, `process.getBuiltinModule(…)`. */
function loads(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === "require";
  if (ts.isPropertyAccessExpression(callee)) return callee.name.text === "getBuiltinModule";
  return (
    ts.isCallExpression(callee) &&
    ts.isIdentifier(callee.expression) &&
    callee.expression.text === "createRequire"
  );
}

function sourceFiles(): string[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"));
}

test("every import in src obeys the law", () => {
  const breaches = sourceFiles().flatMap((file) =>
    importsOf(readFileSync(join(root, "src", file), "utf8")).flatMap((found) => {
      const why = breach(file, found);
      return why === undefined ? [] : [`src/${file}:${found.line} imports ${found.specifier}: ${why}`];
    }),
  );
  assert.deepEqual(breaches, []);
});

test("no file of src but those under socket/native names koffi as a module", () => {
  const named = sourceFiles().filter((file) =>
    /["'`]koffi["'`]/.test(readFileSync(join(root, "src", file), "utf8")),
  );
  assert.deepEqual(named, ["socket/native/koffi.ts"]);
});

const refused: readonly [file: string, code: string][] = [
  ["core/errors.ts", 'import { connect } from "node:net";'],
  ["core/errors.ts", 'import { Socket } from "../socket/index.js";'],
  ["core/errors.ts", 'import { createRequire } from "node:module";'],
  ["core/errors.ts", 'process.getBuiltinModule("node:fs");'],
  ["wire/line.ts", 'import { randomBytes } from "node:crypto";'],
  ["index.ts", 'export { Socket } from "./socket/index.js";'],
  ["socket/socket.ts", 'import type { Transport } from "../transport/index.js";'],
  ["socket/socket.ts", 'import type { Koffi } from "koffi";'],
  ["socket/native/koffi.ts", 'import koffi from "koffi";'],
  ["socket/socket.ts", 'import { dlopen } from "node:ffi";'],
  ["transport/node.ts", 'await import("../socket/index.js");'],
  ["transport/bsd.ts", 'import { Socket } from "../socket/index.js";'],
  ["transport/node.ts", 'import { line } from "../wire/line.js";'],
  ["engine/channel.ts", 'type S = import("../socket/index.js").Socket;'],
  ["smtp/client.ts", 'import { ImapClient } from "../imap/index.js";'],
  ["smtp/client.ts", 'import { SmtpServer } from "./server.js";'],
  ["smtp/server.ts", 'import type { SmtpClient } from "./client.js";'],
  ["smtp/client.ts", 'export * from "../socket/index.js";'],
  ["smtp/codec.ts", 'import { Transport } from "../transport/index.js";'],
  ["smtp/codec-reply.ts", 'import "node:tls";'],
  ["smtp/types.ts", 'import type { SmtpClient } from "./client.js";'],
  ["imap/codec.ts", 'import { parse } from "../mail/parse.js";'],
  ["mail/store.ts", 'import { parse } from "./parse.js";'],
  ["mail/structure-envelope.ts", 'import { compose } from "./compose.js";'],
  ["mail/headers.ts", 'import { readFile } from "node:fs";'],
  ["mail/parse.ts", 'import PostalMime from "postal-mime";'],
  ["http/client.ts", 'createRequire(import.meta.url)("left-pad");'],
  ["testing/pair.ts", 'import { SmtpClient } from "../smtp/index.js";'],
  ["cli/nc.ts", 'import { Socket } from "../socket/socket.js";'],
  ["cli/nc.ts", 'import { HawserError } from "../core/errors.js";'],
  ["lab/index.ts", 'import { memory } from "../smtp/memory.js";'],
  ["other/index.ts", 'import { HawserError } from "../core/errors.js";'],
];

const accepted: readonly [file: string, code: string][] = [
  ["core/errors.ts", 'import { inspect } from "node:util";'],
  ["index.ts", 'export { HawserError } from "./core/errors.js";'],
  ["socket/hand-off.ts", 'import net from "node:net";'],
  ["socket/native/koffi.ts", 'import type koffi from "koffi"; createRequire(import.meta.url)("koffi");'],
  ["sasl/scram.ts", 'import { createHmac } from "node:crypto";'],
  [
    "transport/bsd.ts",
    'import type { Socket } from "../socket/index.js"; await import("../socket/index.js");',
  ],
  ["transport/proxy/socks.ts", 'import { line } from "../../wire/line.js";'],
  [
    "smtp/client.ts",
    'import { replyDecoder } from "./codec.js"; import { dial } from "../transport/index.js";',
  ],
  ["smtp/codec.ts", 'import type { Reply } from "./types.js"; import { line } from "../wire/line.js";'],
  ["imap/codec.ts", 'import { structure } from "../mail/structure.js";'],
  ["xmlrpc/client.ts", 'import { HttpConnection } from "../http/index.js"; await import("saxes");'],
  ["cli/nc.ts", 'import { Command } from "commander"; import { Socket } from "../socket/index.js";'],
  ["cli/main.ts", 'import { version } from "../index.js"; import("./nc.js"); import("hawser/socket");'],
  ["url/index.ts", 'import { openUrl } from "./open.js"; import { FtpClient } from "../ftp/index.js";'],
];

for (const [file, code] of refused) {
  test(`the law refuses ${code} in ${file}`, () => {
    assert.ok(importsOf(code).some((found) => breach(file, found) !== undefined));
  });
}

test("the law accepts what the layers are for", () => {
  for (const [file, code] of accepted) {
    for (const found of importsOf(code)) assert.equal(breach(file, found), undefined, `${file}: ${code}`);
  }
});

/** Imports modules in a process of their own and says what that loaded: modules of Node, native libraries, packages. */
function loadedBy(...specifiers: string[]): string[] {
  const code = `
    import { createRequire } from "node:module";
    const before = new Set(process.moduleLoadList);
    for (const specifier of ${JSON.stringify(specifiers)}) await import(specifier);
    process.report.excludeNetwork = true;
    console.log(JSON.stringify([
      ...process.moduleLoadList.filter((name) => !before.has(name)),
      ...process.report.getReport().sharedObjects.filter((path) => path.endsWith(".node")),
      ...Object.keys(createRequire(import.meta.url).cache),
    ]));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: root,
    timeout: 30_000,
  });
  return JSON.parse(output.toString()) as string[];
}

test("the check of what is loaded sees koffi and node:net", () => {
  assert.ok(loadedBy("koffi").some((name) => name.includes("koffi")));
  assert.ok(loadedBy("node:net").includes("NativeModule net"));
});

test("importing hawser/socket loads no native library", () => {
  assert.deepEqual(
    loadedBy("hawser/socket").filter((name) => /koffi|\.node$/.test(name)),
    [],
  );
});

test("importing hawser, or a pure file, loads neither a native library nor node:net", () => {
  const pure = sourceFiles().filter((file) => pureFile.test(file) || codecFile.test(file));
  const built = pure.map((file) => pathToFileURL(join(root, "dist/src", file.replace(/\.ts$/, ".js"))).href);
  const unwanted = (...specifiers: string[]): string[] =>
    loadedBy(...specifiers).filter((name) => /koffi|\.node$|NativeModule net$/.test(name));
  // One process for all of them; one for each only to find who it was.
  if (unwanted("hawser", ...built).length === 0) return;
  for (const specifier of ["hawser", ...built]) assert.deepEqual(unwanted(specifier), [], specifier);
  assert.fail("together they load what none of them loads alone");
});

test("importing a protocol loads none of the packages that it may come to need", () => {
  const some = /nodemailer|postal-mime|saslprep|koffi|undici|saxes|socks|\.node$/;
  for (const name of ["smtp", "pop3", "sasl", "transport", "mail", "testing"])
    assert.deepEqual(
      loadedBy(`hawser/${name}`).filter((loaded) => some.test(loaded)),
      [],
      name,
    );
});

/** The compiled files that a file loads at once, itself among them. */
function closureOf(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const { specifier, when } of importsOf(readFileSync(join(root, "dist/src", file), "utf8")))
    if (specifier.startsWith(".") && when === "now")
      closureOf(posix.join(posix.dirname(file), specifier), found);
  return found;
}

/** Compressed without comments and indentation. Measured, a minifier and tree-shaking make 0.6 to 0.73 of that. */
function compressedBytes(file: string): number {
  const compilerOptions = {
    removeComments: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
  };
  const texts = [...closureOf(file)].map((path) => {
    const text = readFileSync(join(root, "dist/src", path), "utf8");
    return ts.transpileModule(text, { compilerOptions }).outputText.replace(/^\s+|^import .*/gm, "");
  });
  return gzipSync(texts.join("\n"), { level: 9 }).length;
}

for (const file of ["smtp/client.js", "smtp/server.js", "pop3/index.js"])
  test(`${file} comes to 40 KB at most, minified and compressed`, () => {
    const bytes = compressedBytes(file);
    assert.ok(bytes * 0.73 < 40_000, `${bytes} bytes before a minifier`);
  });
