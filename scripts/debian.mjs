#!/usr/bin/env node
/** Debian's packages, installed where they are missing: `node scripts/debian.mjs NAME…`. */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

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

if (isMain()) installMissing(process.argv.slice(2));

/** Installs those of the packages that are missing, by default all of them. Ends the process where that fails. */
export function installMissing(wanted = Object.keys(packages)) {
  const missing = wanted.filter((name) => !existsSync(packages[name]));
  if (missing.length > 0) install(missing);
}

function isMain() {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
}

function install(names) {
  console.error(`hawser: installing ${names.join(", ")}…`);
  const sudo = process.getuid() === 0 ? [] : ["sudo", "-n"];
  const ours = process.getuid() === 0 && !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  let failure;
  try {
    failure =
      apt(sudo, ["update", "-qq"]) ??
      apt(sudo, ["install", "-y", "-qq", "--no-install-recommends", ...names]);
  } finally {
    if (ours) rmSync(policy);
  }
  if (failure === undefined) return;
  console.error(`hawser: ${failure}`);
  process.exit(1);
}

/** Why it failed; `undefined` where it did not. */
function apt(sudo, args) {
  const [command, ...rest] = [...sudo, "apt-get", "-o", "DPkg::Lock::Timeout=120", ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, stderr, error } = spawnSync(command, rest, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  return status === 0 ? undefined : `apt-get ${args.join(" ")} failed: ${error?.message ?? stderr}`;
}
