#!/usr/bin/env node
/**
 * The package as its users get it: packs it, installs the tarball into empty projects, imports every entry point
 * both ways, compiles a program under `tsc --strict` as ESM and as CommonJS, runs the command, and does without koffi.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === "object")
  .map(([subpath]) => `hawser${subpath.slice(1)}`);

const scratch = mkdtempSync(join(tmpdir(), "hawser-consumer-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const tarball = step("pack", () => {
  const [line] = npm(root, "pack", "--ignore-scripts", "--silent", "--pack-destination", scratch)
    .trim()
    .split("\n");
  return join(scratch, line);
});

const full = project("full");
step("install with --ignore-scripts", () => install(full));
step("import every entry point", () => node(full, "import.mjs", importAll));
step("require() every entry point", () => node(full, "require.cjs", requireAll));
step("two connected sockets", () => node(full, "pair.mjs", pair));
step("compile under --strict, as ESM and as CommonJS", () => compile(full));
step("npx hawser --version", () => {
  const printed = npm(full, "exec", "--offline", "--", "hawser", "--version").trim();
  if (printed !== manifest.version) throw new Error(`hawser --version printed ${printed}`);
});

const bare = project("bare");
step("install with --omit=optional", () => install(bare, "--omit=optional"));
step("import every entry point without koffi", () => node(bare, "import.mjs", importAll));
step("a socket without koffi says what is missing", () => node(bare, "unsupported.mjs", unsupported));

function importAll() {
  return entries.map((entry) => `await import("${entry}");`).join("\n");
}

function requireAll() {
  return entries.map((entry) => `require("${entry}");`).join("\n");
}

function pair() {
  return `
    import assert from "node:assert/strict";
    import { socketPair } from "hawser/socket";
    const [a, b] = socketPair();
    await a.sendall(Buffer.from("hello"));
    assert.equal(Buffer.from(await b.recv(5)).toString(), "hello");
    a.close();
    b.close();`;
}

function unsupported() {
  return `
    import assert from "node:assert/strict";
    import { UnsupportedError } from "hawser";
    import { Socket } from "hawser/socket";
    assert.throws(() => new Socket(), (error) => error instanceof UnsupportedError && /koffi/.test(error.message));`;
}

/** One program with what trips compilers up: `await using`, families in types, error classes, streams. */
function program() {
  return `
    import { DeadlineError, SocketError, version } from "hawser";
    import { AF_INET, type AfInet, createServer, SOCK_STREAM, Socket } from "hawser/socket";
    async function main(): Promise<void> {
      await using listener = await createServer(["127.0.0.1", 0]);
      await using client: Socket<AfInet> = new Socket(AF_INET, SOCK_STREAM);
      const [host, port] = client.getsockname();
      const name: string = host.toUpperCase() + port.toFixed() + version;
      try {
        await client.connect(listener.getsockname() as [string, number], { timeoutMs: 1000 });
        const bytes: Uint8Array = await client.recv(name.length);
        await new Response(client.readable).arrayBuffer();
        console.log(bytes.length);
      } catch (error) {
        if (error instanceof SocketError) console.log(error.errno, error.syscall);
        else if (error instanceof DeadlineError) console.log(error.limitMs);
      }
    }
    void main();`;
}

function compile(folder) {
  for (const [file, code] of [
    ["esm.mts", program()],
    ["commonjs.cts", program()],
  ])
    writeFileSync(join(folder, file), code);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2022,esnext.disposable",
  ];
  run(process.execPath, folder, [compiler, ...options, "esm.mts", "commonjs.cts"]);
}

function project(name) {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: "1.0.0", private: true }));
  return folder;
}

function install(folder, ...flags) {
  npm(
    folder,
    "install",
    tarball,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    ...flags,
  );
}

function node(folder, file, code) {
  writeFileSync(join(folder, file), code());
  run(process.execPath, folder, [file]);
}

function npm(folder, ...args) {
  const cli = process.env.npm_execpath ?? "";
  return cli.endsWith("npm-cli.js")
    ? run(process.execPath, folder, [cli, ...args])
    : run("npm", folder, args);
}

function run(command, cwd, args) {
  return execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
}

function step(name, action) {
  const startMs = performance.now();
  try {
    const result = action();
    console.log(`✔ ${name}  ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    return result;
  } catch (error) {
    console.log(`✖ ${name}\n${`${error.stdout ?? ""}${error.stderr ?? ""}` || error.stack}`);
    process.exit(1);
  }
}
