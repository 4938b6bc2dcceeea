/** Other people's programs that the bench measures against: installed on demand, or the reason why there are none. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** What npm installs here is for the bench alone, and no dependency of hawser's. */
const folder = `${root}.bench`;

/** Where the modules of {@link packages} are imported from. */
export const benchModules: URL = new URL("../../.bench/package.json", import.meta.url);

/** The packages of npm that are measured against, by the versions that the bars were set with. */
const packages = {
  "smtp-server": "^3.19.0",
  "node-pop3": ">=0.11.0 <1",
  imapflow: "^2.10.2",
  imap: "^0.8.19",
} as const;

const reasons = new Map<string, string | undefined>();

/** Installs the npm packages where they are missing. Returns why one of them is not there; `undefined`: it is. */
export function lacksPackage(name: keyof typeof packages): string | undefined {
  return once(name, () => {
    if (existsSync(`${folder}/node_modules/${name}`)) return undefined;
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      `${folder}/package.json`,
      JSON.stringify({ private: true, dependencies: packages }, null, 2),
    );
    console.error(`installing ${Object.keys(packages).join(", ")} into .bench…`);
    const npm = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
    return failed("npm", npm, folder) ? `npm cannot install ${name}` : undefined;
  });
}

/** Installs a package of Debian's where its program is missing. Returns why it is not there; `undefined`: it is. */
export function lacksDebian(...names: readonly string[]): string | undefined {
  return once(names.join(), () =>
    failed(process.execPath, [`${root}scripts/debian.mjs`, ...names], root)
      ? `there is no ${names.join(", ")}`
      : undefined,
  );
}

/** Whether there is a Python, which has smtplib, poplib and imaplib with it. */
export function lacksPython(): string | undefined {
  return once("python3", () =>
    failed("python3", ["-c", "import smtplib, poplib, imaplib"], root) ? "there is no python3" : undefined,
  );
}

function once(name: string, look: () => string | undefined): string | undefined {
  if (!reasons.has(name)) reasons.set(name, look());
  return reasons.get(name);
}

function failed(command: string, args: readonly string[], cwd: string): boolean {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0 && stderr) console.error(stderr.trimEnd());
  return status !== 0;
}
