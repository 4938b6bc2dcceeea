/**
 * Tells the service manager that this service is ready: systemd's sd_notify(3), for units of Type=notify.
 * Run: NOTIFY_SOCKET=/path node dist/examples/sd-notify.js [state]
 */
import { AF_UNIX, SOCK_DGRAM, socket } from "hawser/socket";

const [state = "READY=1"] = process.argv.slice(2);
const { NOTIFY_SOCKET: path } = process.env;
using s = socket(AF_UNIX, SOCK_DGRAM);
// A leading "@" stands for the NUL of an abstract name.
if (path) await s.sendto(new TextEncoder().encode(state), path.replace(/^@/, "\0"));
else console.log("nobody to tell: NOTIFY_SOCKET is not set");
