/**
 * Writes a line to the system's log: one Unix datagram, with facility "user" and severity "info" (1 * 8 + 6).
 * Run: node dist/examples/syslog.js [path] [message]
 */
import { AF_UNIX, SOCK_DGRAM, socket } from "hawser/socket";

const [path = "/dev/log", message = "hello from hawser"] = process.argv.slice(2);
using s = socket(AF_UNIX, SOCK_DGRAM);
try {
  await s.sendto(new TextEncoder().encode(`<14>hawser[${process.pid}]: ${message}`), path);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
