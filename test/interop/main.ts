/**
 * hawser's clients against real servers and hawser's servers against real clients, all on loopback:
 * `npm run test:interop [-- NAME…]`. Each pairing prints one line.
 */

import { imapClientPairings, imapServerPairings } from "./imap.js";
import type { Pairing } from "./pairing.js";
import { pop3ClientPairings, pop3ServerPairings } from "./pop3.js";
import { isInstalled, Scratch } from "./scratch.js";
import { startDovecot } from "./servers/dovecot.js";
import { startPostfix } from "./servers/postfix.js";
import { smtpClientPairings } from "./smtp.js";
import { smtpServerPairings } from "./smtp-server.js";

const words = process.argv.slice(2);
using scratch = await Scratch.make();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
process.on("exit", () => scratch[Symbol.dispose]());

const counts = { passed: 0, failed: 0, skipped: 0 };
const dovecot = await startDovecot(scratch, ["alice", "bob", "imap"]);
const postfix = await startPostfix(scratch, dovecot);
const pairings: Pairing[] = [
  ...smtpClientPairings(scratch, dovecot, postfix),
  ...smtpServerPairings(scratch),
  ...pop3ClientPairings(scratch, dovecot),
  ...pop3ServerPairings(scratch),
  ...imapClientPairings(dovecot),
  ...imapServerPairings(scratch),
];
for (const pairing of pairings.filter(({ name }) => words.every((word) => name.includes(word))))
  await run(pairing);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
scratch[Symbol.dispose]();
process.exit();

async function run({ name, needs = [], run: meet }: Pairing): Promise<void> {
  const missing = needs.filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    counts.skipped += 1;
    console.log(`- ${name}: skipped, no ${missing.join(", ")}`);
    return;
  }
  const startMs = performance.now();
  try {
    const said = await meet(scratch);
    counts.passed += 1;
    console.log(
      `✔ ${name}  ${Math.round(performance.now() - startMs)} ms${said === undefined ? "" : `  ${said}`}`,
    );
  } catch (error) {
    counts.failed += 1;
    console.log(`✖ ${name}`);
    console.log(
      String(error instanceof Error ? (error.stack ?? error.message) : error).replace(/^/gm, "    "),
    );
    const { transcript } = error as { transcript?: readonly string[] };
    if (transcript !== undefined) console.log(transcript.join("\n").replace(/^/gm, "    "));
  }
}
