/**
 * CPython's test_socket.py: the ancillary data of RFC 3542 (hop limit and traffic class of IPv6), sent with sendmsg()
 * and received whole or cut short with recvmsg() and recvmsg_into().
 */
import assert from "node:assert/strict";
import { SocketError } from "../../../src/core/errors.js";
import {
  type AncillaryItem,
  type AncillaryLike,
  CMSG_LEN,
  CMSG_SPACE,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  MSG_CTRUNC,
} from "../../../src/socket/index.js";
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
  udp6,
  udplite6,
} from "./message-kinds.js";

/** A hop limit to be sent. */
const hopLimit = 2;

/** -1 asks for the kernel's default. */
const trafficClass = -1;

const maxByte = 255;

/** Room enough for whatever comes here. */
const plentyBytes = 10240;

type Send = (run: Run) => Promise<unknown>;

const plainly: Send = (run) => run.send(MSG);

const withHopLimit: Send = async (run) => {
  assert.equal(await run.sendmsg([MSG], [[IPPROTO_IPV6, IPV6_HOPLIMIT, ints(hopLimit)]]), MSG.length);
};

const bothItems: readonly AncillaryLike[] = [
  [IPPROTO_IPV6, IPV6_TCLASS, ints(trafficClass)],
  [IPPROTO_IPV6, IPV6_HOPLIMIT, ints(hopLimit)],
];

const withBoth: Send = async (run) => {
  assert.equal(await run.sendmsg([MSG], bothItems), MSG.length);
};

/** The first item is a byte too long: it is sent all the same, or refused by the system. */
const withOddSize: Send = async (run) => {
  const odd = new Uint8Array([...ints(trafficClass), 0]);
  try {
    await run.sendmsg([MSG], [[IPPROTO_IPV6, IPV6_TCLASS, odd], ...bothItems.slice(1)]);
  } catch (error) {
    assert.ok(error instanceof SocketError, `${error}`);
    await withBoth(run);
  }
};

/** Asks for the hop limit, and for the traffic class too if `both`; then MSG is sent and received. */
async function received(run: Run, both: boolean, ancillaryBytes?: number, send = plainly): Promise<Received> {
  run.server.setsockopt(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  if (both) run.server.setsockopt(IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  return run.exchange(
    () => send(run),
    () => run.receive(MSG.length, ancillaryBytes),
  );
}

function checkMessage(run: Run, message: Received, checks: FlagChecks): void {
  assert.deepEqual(message.data, MSG);
  run.checkAddress(message.address);
  run.checkFlags(message.flags, { whole: true, ...checks });
}

/** One whole number from 0 to `max`. */
function checkNumber(item: AncillaryItem | undefined, max: number): void {
  assert.ok(item, "the item came");
  assert.equal(item.data.length, SIZEOF_INT);
  const [value = -1] = intsOf(item.data);
  assert.ok(value >= 0 && value <= max, `${value} is from 0 to ${max}`);
}

async function checkHopLimit(run: Run, ancillaryBytes: number, send?: Send, max = maxByte): Promise<void> {
  const message = await received(run, false, ancillaryBytes, send);
  checkMessage(run, message, { unset: MSG_CTRUNC });
  assert.deepEqual(types(message), [IPV6_HOPLIMIT]);
  checkNumber(message.ancillary[0], max);
}

async function checkBoth(run: Run, ancillaryBytes: number, send?: Send, maxHops = maxByte): Promise<void> {
  const message = await received(run, true, ancillaryBytes, send);
  checkMessage(run, message, { unset: MSG_CTRUNC });
  assert.deepEqual(types(message).sort(), [IPV6_HOPLIMIT, IPV6_TCLASS].sort());
  const find = (wanted: number) => message.ancillary.find(({ type }) => type === wanted);
  checkNumber(find(IPV6_TCLASS), maxByte);
  checkNumber(find(IPV6_HOPLIMIT), maxHops);
}

/** The types of the items, which are all of IPv6. */
function types({ ancillary }: Received): number[] {
  for (const { level } of ancillary) assert.equal(level, IPPROTO_IPV6);
  return ancillary.map(({ type }) => type);
}

/** No room for an item's header: none comes. */
async function checkCutHeader(run: Run, ancillaryBytes: number): Promise<void> {
  const message = await received(run, false, ancillaryBytes);
  checkMessage(run, message, { set: MSG_CTRUNC });
  assert.deepEqual(message.ancillary, []);
}

/** Room for the first of two items and no header more: the first comes, whole. */
async function checkCutSecondHeader(run: Run, moreBytes: number): Promise<void> {
  const message = await received(run, true, CMSG_SPACE(SIZEOF_INT) + moreBytes);
  checkMessage(run, message, { set: MSG_CTRUNC });
  checkOneOf(message);
}

function checkOneOf(message: Received): void {
  const [type = -1, ...others] = types(message);
  assert.deepEqual(others, []);
  assert.ok([IPV6_TCLASS, IPV6_HOPLIMIT].includes(type), `type ${type}`);
  checkNumber(message.ancillary[0], maxByte);
}

/** An item that was cut within its number comes with the bytes that fitted. */
function checkCutNumber({ data }: AncillaryItem): void {
  assert.equal(data.length, SIZEOF_INT - 1);
}

const bodies: Record<string, Body> = {
  testRecvHopLimit: (run) => checkHopLimit(run, plentyBytes),
  testRecvHopLimitCMSG_SPACE: (run) => checkHopLimit(run, CMSG_SPACE(SIZEOF_INT)),
  testSetHopLimit: (run) => checkHopLimit(run, plentyBytes, withHopLimit, hopLimit),

  testRecvTrafficClassAndHopLimit: (run) => checkBoth(run, plentyBytes),
  testRecvTrafficClassAndHopLimitCMSG_SPACE: (run) => checkBoth(run, 2 * CMSG_SPACE(SIZEOF_INT)),
  testSetTrafficClassAndHopLimit: (run) => checkBoth(run, plentyBytes, withBoth, hopLimit),
  testOddCmsgSize: (run) => checkBoth(run, plentyBytes, withOddSize, hopLimit),

  // CPython makes no room unless told to. hawser makes 512 bytes of it for a datagram socket: nothing is cut.
  testCmsgTruncNoBufSize: async (run) => {
    const message = await received(run, true);
    checkMessage(run, message, { unset: MSG_CTRUNC });
    assert.equal(message.ancillary.length, 2);
  },

  testSingleCmsgTrunc0: (run) => checkCutHeader(run, 0),
  testSingleCmsgTrunc1: (run) => checkCutHeader(run, 1),
  testSingleCmsgTrunc2Int: (run) => checkCutHeader(run, 2 * SIZEOF_INT),
  testSingleCmsgTruncLen0Minus1: (run) => checkCutHeader(run, CMSG_LEN(0) - 1),

  testSingleCmsgTruncInData: async (run) => {
    const message = await received(run, false, CMSG_LEN(SIZEOF_INT) - 1);
    checkMessage(run, message, { set: MSG_CTRUNC });
    assert.deepEqual(types(message), [IPV6_HOPLIMIT]);
    message.ancillary.forEach(checkCutNumber);
  },

  testSecondCmsgTrunc0: (run) => checkCutSecondHeader(run, 0),
  testSecondCmsgTrunc1: (run) => checkCutSecondHeader(run, 1),
  testSecondCmsgTrunc2Int: (run) => checkCutSecondHeader(run, 2 * SIZEOF_INT),
  testSecondCmsgTruncLen0Minus1: (run) => checkCutSecondHeader(run, CMSG_LEN(0) - 1),

  testSecondCmsgTruncInData: async (run) => {
    const message = await received(run, true, CMSG_SPACE(SIZEOF_INT) + CMSG_LEN(SIZEOF_INT) - 1);
    checkMessage(run, message, { set: MSG_CTRUNC });
    assert.deepEqual(types(message).sort(), [IPV6_HOPLIMIT, IPV6_TCLASS].sort());
    const [whole, ...cut] = message.ancillary;
    checkNumber(whole, maxByte);
    cut.forEach(checkCutNumber);
  },
};

for (const [name, kind] of Object.entries({ UDP6: udp6, UDPLITE6: udplite6 })) {
  portAll(`RecvmsgRFC3542Ancillary${name}Test`, kind, bodies, byRecvmsg);
  portAll(`RecvmsgIntoRFC3542Ancillary${name}Test`, kind, bodies, byRecvmsgInto);
}
