#!/usr/bin/env node
/**
 * hawser against real servers and clients: installs those of Debian that are missing, and runs every pairing.
 * `node scripts/interop.mjs [word…]` runs those whose names have all the words.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";

/** A program or file of each package, by which it is known to be installed. */
const packages = {
  "dovecot-core": "/usr/sbin/dovecot",
  "dovecot-imapd": "/usr/lib/dovecot/imap",
  "dovecot-pop3d": "/usr/lib/dovecot/pop3",
  "dovecot-lmtpd": "/usr/lib/dovecot/lmtp",
  postfix: "/usr/sbin/postfix",
  swaks: "/usr/bin/swaks",
  "libnet-ssleay-perl": "/usr/share/doc/libnet-ssleay-perl",
  curl: "/usr/bin/curl",
  isync: "/usr/bin/mbsync",
};

/** While this file says so, no package starts its service. */
const policy = "/usr/sbin/policy-rc.d";

const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
if (missing.length > 0) install(missing);
const child = spawn(process.execPath, ["dist/test/interop/main.js", ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));

function install(names) {
  console.error(`hawser: installing ${names.join(", ")}…`);
  const sudo = process.getuid() === 0 ? [] : ["sudo", "-n"];
  const ours = process.getuid() === 0 && !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    apt(sudo, ["update", "-qq"]);
    apt(sudo, ["install", "-y", "-qq", "--no-install-recommends", ...names]);
  } finally {
    if (ours) rmSync(policy);
  }
}

function apt(sudo, args) {
  const [command, ...rest] = [...sudo, "apt-get", "-o", "DPkg::Lock::Timeout=120", ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, stderr, error } = spawnSync(command, rest, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status === 0) return;
  console.error(`hawser: apt-get ${args.join(" ")} failed: ${error?.message ?? stderr}`);
  process.exit(1);
}
