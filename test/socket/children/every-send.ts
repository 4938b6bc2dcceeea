/** Sends a byte in every way there is. */
import { closeSync, openSync } from "node:fs";
import { sendFds, sendFdsSync, socketPair } from "../../../src/socket/index.js";
import { udpSocket } from "../robust.js";

const data = new Uint8Array(1);
const [a, b] = socketPair();
await a.send(data);
a.sendSync(data);
await a.sendall(data);
a.sendallSync(data);
await a.sendmsg([data, data]);
a.sendmsgSync([data]);
await a.sendMany([data]);
a.sendManySync([data, data]);
const fd = openSync("/dev/null", "r");
await sendFds(a, data, [fd]);
sendFdsSync(a, data, [fd]);
closeSync(fd);
const s = udpSocket();
await s.sendto(data, s.getsockname());
s.sendtoSync(data, s.getsockname());
for (const socket of [a, b, s]) socket.close();
