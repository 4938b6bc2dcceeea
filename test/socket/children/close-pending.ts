/** Closes a socket under each waiting call, and must then end by itself. */
import { pendingCases } from "../pending.js";
import { isPending } from "../robust.js";

process.on("unhandledRejection", (reason) => {
  console.error(reason);
  process.exit(3);
});
let settlements = 0;
const closing: Promise<void>[] = [];
for (const { name, prepare } of pendingCases) {
  const pending = await prepare();
  const promise = pending.call({});
  const settled = promise.then(
    (value) => {
      if (name !== "connectEx" || value !== 9) throw new Error(`${name} resolved with ${value}`);
      settlements += 1;
    },
    (error: { code?: string }) => {
      if (error.code !== "EBADF") throw error;
      settlements += 1;
    },
  );
  if (!(await isPending(promise))) throw new Error(`${name} does not wait`);
  pending.socket.close();
  closing.push(settled.then(() => pending.close()));
}
await Promise.all(closing);
console.log(`${settlements} closed`);
