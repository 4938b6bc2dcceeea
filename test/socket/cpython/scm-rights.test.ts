/**
 * CPython's test_socket.py: descriptors passed over a Unix socket with sendmsg(), and received with recvmsg() and
 * recvmsg_into(). Beyond CPython, each body checks that every descriptor the kernel put into this process was
 * returned: one that was cut away and stayed open could never be closed.
 */
import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readlinkSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SocketError } from "../../../src/core/errors.js";
import {
  type AncillaryLike,
  CMSG_LEN,
  CMSG_SPACE,
  MSG_CTRUNC,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../../../src/socket/index.js";
import { bytes } from "../support.js";
import { MSG } from "./forms.js";
import {
  type Body,
  byRecvmsg,
  byRecvmsgInto,
  type FlagChecks,
  ints,
  intsOf,
  portAll,
  type Received,
  type Run,
  SIZEOF_INT,
  unix,
} from "./message-kinds.js";

/** No descriptor, whichever of its bytes is replaced. */
const badFd = -0x5555;

/** Room enough for whatever is sent here. */
const plentyBytes = 10240;

/** A run with the files whose descriptors travel. */
class FilesRun {
  readonly run: Run;
  readonly #directory: string;
  #received: number[] = [];
  #files = 0;

  constructor(run: Run) {
    this.run = run;
    this.#directory = run.directory();
  }

  /** Descriptors of new files, each of which holds its index as text. */
  open(count: number): number[] {
    return Array.from({ length: count }, (_, index) => {
      const fd = openSync(join(this.#directory, `${index}`), "w+");
      this.run.after(() => closeSync(fd));
      writeSync(fd, `${index}`);
      this.#files += 1;
      return fd;
    });
  }

  /** Sends MSG with `count` new descriptors in one item. */
  async send(count: number): Promise<void> {
    const sent = await this.run.sendmsg([MSG], [rights(ints(...this.open(count)))]);
    assert.equal(sent, MSG.length);
  }

  /** Sends MSG with two new descriptors in two items. */
  async sendSeparately(): Promise<void> {
    const items = this.open(2).map((fd) => rights(ints(fd)));
    assert.equal(await this.run.sendmsg([MSG], items), MSG.length);
  }

  /** Sends MSG with `ancillary`, or without it when the system refuses that. */
  async sendIfPossible(ancillary: readonly AncillaryLike[]): Promise<void> {
    const sent = await this.run.sendmsg([MSG], ancillary).catch((error: unknown) => {
      assert.ok(error instanceof SocketError, `${error}`);
      return this.run.sendmsg([MSG]);
    });
    assert.equal(sent, MSG.length);
  }

  /** Receives; every descriptor that came is closed in the end. */
  async receive(send: () => Promise<unknown>, ancillaryBytes?: number): Promise<Received> {
    const message = await this.run.exchange(send, () => this.run.receive(MSG.length, ancillaryBytes));
    this.#received = message.ancillary.flatMap(({ data }) => intsOf(data));
    for (const fd of this.#received) this.run.after(() => closeSync(fd));
    return message;
  }

  /** Data, address and flags, and that no descriptor came but those returned. */
  checkMessage(message: Received, checks: FlagChecks): void {
    assert.deepEqual(message.data, MSG);
    this.run.checkAddress(message.address);
    this.run.checkFlags(message.flags, { whole: true, ...checks });
    const open = this.#openFiles();
    assert.equal(open, this.#files + this.#received.length, `${open} descriptors of the files are open`);
  }

  #openFiles(): number {
    return readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith(this.#directory)).length;
  }

  /** `count` descriptors came, of the right files, in whole numbers and at most `maxItems` items. */
  checkFds(message: Received, count: number, checks: FlagChecks = {}, maxItems = 1): void {
    this.checkMessage(message, { unset: MSG_CTRUNC, ...checks });
    assert.ok(message.ancillary.length <= maxItems, `${message.ancillary.length} items`);
    for (const item of message.ancillary) {
      checkRights(item);
      assert.equal(item.data.length % SIZEOF_INT, 0);
    }
    assert.equal(this.#received.length, count);
    this.checkContents();
  }

  /** Each received descriptor is that of the file with its index. */
  checkContents(): void {
    for (const [index, fd] of this.#received.entries()) {
      const content = new Uint8Array(8);
      const length = readSync(fd, content, 0, content.length, 0);
      assert.deepEqual(content.slice(0, length), bytes(`${index}`));
    }
  }

  /** The message came without an item, the header of which did not fit. */
  async checkCutHeader(ancillaryBytes: number | undefined): Promise<void> {
    const message = await this.receive(() => this.send(1), ancillaryBytes);
    this.checkMessage(message, { set: MSG_CTRUNC });
    assert.deepEqual(message.ancillary, []);
  }

  /** The item was cut within its numbers: at most `maxBytes` of them came, and the whole ones are good. */
  async checkCutArray(count: number, ancillaryBytes: number, maxBytes: number): Promise<void> {
    const message = await this.receive(() => this.send(count), ancillaryBytes);
    this.checkMessage(message, { set: MSG_CTRUNC });
    assert.ok(message.ancillary.length <= 1, `${message.ancillary.length} items`);
    for (const item of message.ancillary) {
      checkRights(item);
      assert.ok(item.data.length <= maxBytes, `${item.data.length} bytes where ${maxBytes} fit`);
      assert.equal(item.data.length % SIZEOF_INT, 0, "half a descriptor is none");
    }
    this.checkContents();
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor of the listing itself is closed by now.
    return "";
  }
}

function rights(data: Uint8Array): AncillaryLike {
  return [SOL_SOCKET, SCM_RIGHTS, data];
}

function checkRights({ level, type }: { level: number; type: number }): void {
  assert.deepEqual({ level, type }, { level: SOL_SOCKET, type: SCM_RIGHTS });
}

type FilesBody = (files: FilesRun) => Promise<void>;

const filesBodies: Record<string, FilesBody> = {
  testFDPassSimple: async (files) => {
    const { buffer } = Int32Array.from(files.open(1));
    const send = () =>
      files.run.sendmsg([MSG], [{ level: SOL_SOCKET, type: SCM_RIGHTS, data: new Uint8Array(buffer) }]);
    files.checkFds(await files.receive(send, plentyBytes), 1);
  },

  testMultipleFDPass: async (files) =>
    files.checkFds(await files.receive(() => files.send(4), plentyBytes), 4),

  testFDPassCMSG_SPACE: async (files) =>
    files.checkFds(await files.receive(() => files.send(4), CMSG_SPACE(4 * SIZEOF_INT)), 4),

  // RFC 3542: MSG_CTRUNC may be set where the padding does not fit.
  testFDPassCMSG_LEN: async (files) =>
    files.checkFds(await files.receive(() => files.send(1), CMSG_LEN(4 * SIZEOF_INT)), 1, {
      ignore: MSG_CTRUNC,
    }),

  testFDPassSeparate: async (files) =>
    files.checkFds(await files.receive(() => files.sendSeparately(), plentyBytes), 2, {}, 2),

  testFDPassSeparateMinSpace: async (files) => {
    const room = CMSG_SPACE(SIZEOF_INT) + CMSG_LEN(SIZEOF_INT * 2);
    const message = await files.receive(() => files.sendSeparately(), room);
    files.checkFds(message, 2, { ignore: MSG_CTRUNC }, 2);
  },

  testFDPassEmpty: async (files) => {
    const send = () => files.sendIfPossible([rights(new Uint8Array())]);
    files.checkFds(await files.receive(send, plentyBytes), 0, { ignore: MSG_CTRUNC });
  },

  testFDPassPartialInt: async (files) => {
    const send = () => files.sendIfPossible([rights(ints(badFd).subarray(0, -1))]);
    const message = await files.receive(send, plentyBytes);
    files.checkMessage(message, { ignore: MSG_CTRUNC });
    assert.ok(message.ancillary.length <= 1, `${message.ancillary.length} items`);
    for (const item of message.ancillary) {
      checkRights(item);
      assert.ok(item.data.length < SIZEOF_INT, `${item.data.length} bytes`);
    }
  },

  testFDPassPartialIntInMiddle: async (files) => {
    const send = async () => {
      const [first = badFd, second = badFd] = files.open(2);
      await files.sendIfPossible([rights(ints(first, badFd).subarray(0, -1)), rights(ints(second))]);
    };
    const message = await files.receive(send, plentyBytes);
    files.checkMessage(message, { ignore: MSG_CTRUNC });
    assert.ok(message.ancillary.length <= 2, `${message.ancillary.length} items`);
    for (const item of message.ancillary) checkRights(item);
    files.checkContents();
  },

  // CPython's default is no room everywhere; on a Unix socket it is hawser's as well.
  testCmsgTruncNoBufSize: (files) => files.checkCutHeader(undefined),
  testCmsgTrunc0: (files) => files.checkCutHeader(0),
  testCmsgTrunc1: (files) => files.checkCutHeader(1),
  testCmsgTrunc2Int: (files) => files.checkCutHeader(2 * SIZEOF_INT),
  testCmsgTruncLen0Minus1: (files) => files.checkCutHeader(CMSG_LEN(0) - 1),

  testCmsgTruncLen0: (files) => files.checkCutArray(1, CMSG_LEN(0), 0),
  testCmsgTruncLen0Plus1: (files) => files.checkCutArray(2, CMSG_LEN(0) + 1, 1),
  testCmsgTruncLen1: (files) => files.checkCutArray(2, CMSG_LEN(SIZEOF_INT), SIZEOF_INT),
  testCmsgTruncLen2Minus1: (files) =>
    files.checkCutArray(2, CMSG_LEN(2 * SIZEOF_INT) - 1, 2 * SIZEOF_INT - 1),
};

const bodies: Record<string, Body> = Object.fromEntries(
  Object.entries(filesBodies).map(([name, body]) => [name, (run: Run) => body(new FilesRun(run))]),
);

portAll("RecvmsgSCMRightsStreamTest", unix, bodies, byRecvmsg);
portAll("RecvmsgIntoSCMRightsStreamTest", unix, bodies, byRecvmsgInto);
