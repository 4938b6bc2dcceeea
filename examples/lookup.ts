/**
 * Asks the machine for names and numbers: its own name, the ports of services, the addresses of a host.
 * Run: node dist/examples/lookup.js [host]
 */
import { NameError } from "hawser";
import { getaddrinfo, gethostbyaddr, gethostname, getservbyname } from "hawser/socket";

try {
  console.log("this machine is", gethostname());
  console.log("127.0.0.1 is", ...(await gethostbyaddr("127.0.0.1")));
  for (const name of ["http", "ftp", "imap", "pop3", "smtp"]) console.log(name, getservbyname(name));
  const host = process.argv[2] ?? "tutorialspoint.com";
  for (const { address } of await getaddrinfo(host, "www")) console.log(host, "is", ...address);
} catch (error) {
  if (!(error instanceof NameError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
