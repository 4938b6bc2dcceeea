/**
 * Asks the machine for names and numbers, blocking.
 * Run: node dist/examples/lookup-sync.js [host]
 */
import { NameError } from "hawser";
import { getaddrinfoSync, gethostbyaddrSync, gethostname, getservbyname } from "hawser/socket";

try {
  console.log("this machine is", gethostname());
  console.log("127.0.0.1 is", ...gethostbyaddrSync("127.0.0.1"));
  for (const name of ["http", "ftp", "imap", "pop3", "smtp"]) console.log(name, getservbyname(name));
  const host = process.argv[2] ?? "tutorialspoint.com";
  for (const { address } of getaddrinfoSync(host, "www")) console.log(host, "is", ...address);
} catch (error) {
  if (!(error instanceof NameError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
