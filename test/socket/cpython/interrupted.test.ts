/**
 * CPython's tests of calls that a signal interrupts. There the signal's handler raises an error, which ends the call. In
 * Node no handler can run while a call blocks: a Sync call goes on, and only for the time that is left. While a promise is
 * waited for the handler does run, and ends the wait by `abort`.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createServer } from "../../../src/socket/index.js";
import { Child } from "../../child.js";
import type { InterruptedReport } from "../children/interrupted.js";
import { closing, deadlineMs, limited } from "../support.js";
import { port } from "./forms.js";

const script = fileURLToPath(new URL("../children/interrupted.js", import.meta.url));
/** What the child gives a Sync call. */
const limitMs = 2000;

/** Signals the child for as long as it waits. `meanwhile` begins with the signals. */
async function reportOf(
  args: readonly string[],
  meanwhile: (child: Child) => Promise<void> = async () => {},
): Promise<InterruptedReport> {
  await using child = new Child([script, ...args]);
  await child.expect(/waiting/);
  const timer = setInterval(() => child.process.kill("SIGALRM"), 10);
  try {
    const [[line]] = await Promise.all([child.expect(/\{.*\}/), meanwhile(child)]);
    return JSON.parse(line) as InterruptedReport;
  } finally {
    clearInterval(timer);
    child.process.stdin.end();
  }
}

/** A wait that began anew with each signal would never end here. */
async function goesOnInTime(call: string): Promise<void> {
  const { error, tookMs, interruptions } = await reportOf([call, "Sync"]);
  assert.equal(error, "DeadlineError");
  assert.ok(interruptions >= 2, `${interruptions} interruptions`);
  assert.ok(tookMs > limitMs - 1 && tookMs < 10 * limitMs, `after ${tookMs} ms`);
}

async function endsByAbort(call: string): Promise<void> {
  const { aborted, error } = await reportOf([call, "promise"]);
  assert.ok(aborted, `the call ended with ${error}`);
}

const note = "a Sync call goes on for the time that is left, a promise is ended by abort";

for (const [id, call] of [
  ["InterruptedRecvTimeoutTest.testInterruptedRecvTimeout", "recv"],
  ["InterruptedRecvTimeoutTest.testInterruptedRecvIntoTimeout", "recvInto"],
  ["InterruptedRecvTimeoutTest.testInterruptedRecvfromTimeout", "recvfrom"],
  ["InterruptedRecvTimeoutTest.testInterruptedRecvfromIntoTimeout", "recvfromInto"],
  ["InterruptedRecvTimeoutTest.testInterruptedRecvmsgTimeout", "recvmsg"],
  ["InterruptedRecvTimeoutTest.testInterruptedRecvmsgIntoTimeout", "recvmsgInto"],
  ["InterruptedSendTimeoutTest.testInterruptedSendTimeout", "send"],
  ["InterruptedSendTimeoutTest.testInterruptedSendtoTimeout", "sendto"],
  ["InterruptedSendTimeoutTest.testInterruptedSendmsgTimeout", "sendmsg"],
  ["TCPTimeoutTest.testInterruptedTimeout", "accept"],
  ["GeneralModuleTests.test_sendall_interrupted_with_timeout", "sendall"],
] as const) {
  port(
    id,
    async () => {
      await Promise.all([goesOnInTime(call), endsByAbort(call)]);
    },
    { note },
  );
}

port(
  "GeneralModuleTests.test_sendall_interrupted",
  async () => {
    using listener = limited(await createServer(["127.0.0.1", 0]));
    const received: Uint8Array[] = [];
    /** Reads only when the sender was interrupted several times: signals that come together count as one. */
    const readLate = async (child: Child): Promise<void> => {
      const [peer] = await listener.accept();
      using _ = closing(limited(peer));
      await child.expect(/(interrupted\n.*){2}/s);
      for (let bytes = 0; bytes < 16 * 1024 * 1024; bytes += received.at(-1)?.length ?? 0) {
        received.push(await peer.recv(1024 * 1024, { timeoutMs: deadlineMs }));
        assert.notEqual(received.at(-1)?.length, 0, "the sender must send all");
      }
    };
    const args = ["sendall", "Sync", `${listener.getsockname()[1]}`];
    const { error, interruptions } = await reportOf(args, readLate);
    assert.equal(error, "none");
    assert.ok(interruptions >= 2, `${interruptions} interruptions`);
    assert.ok(Buffer.concat(received).every((byte, index) => byte === index % 251));
    await endsByAbort("sendall");
  },
  { note },
);
