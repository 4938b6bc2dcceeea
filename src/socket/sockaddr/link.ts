/** AF_NETLINK, AF_VSOCK, AF_PACKET, and the bytes of families that have no form of their own. */
import { LocalProtocolError } from "../../core/errors.js";
import { AF_NETLINK, AF_PACKET, AF_VSOCK } from "../constants.js";
import {
  checkRange,
  isBytes,
  LITTLE_ENDIAN,
  MAX_UINT32,
  SOCKADDR_BYTES,
  show,
  writeFamily,
} from "./parts.js";

/** The `struct sockaddr_nl` of `[pid, groups]`. */
export function encodeNetlink(address: unknown): Uint8Array {
  if (isBytes(address)) return encodeRaw(AF_NETLINK, address);
  const [pid, groups] = numberPair(address, "an AF_NETLINK address is [pid, groups]");
  return encodeWords(12, AF_NETLINK, pid, groups);
}

/** The `struct sockaddr_vm` of `[cid, port]`. */
export function encodeVsock(address: unknown): Uint8Array {
  if (isBytes(address)) return encodeRaw(AF_VSOCK, address);
  const [cid, port] = numberPair(address, "an AF_VSOCK address is [cid, port]");
  return encodeWords(16, AF_VSOCK, port, cid);
}

function encodeWords(length: number, family: number, first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(length);
  writeFamily(bytes, family);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, first, LITTLE_ENDIAN);
  view.setUint32(8, second, LITTLE_ENDIAN);
  return bytes;
}

function numberPair(address: unknown, form: string): [number, number] {
  if (!Array.isArray(address) || address.length !== 2) {
    throw new LocalProtocolError(`${form} or the bytes of a sockaddr, not ${show(address)}`);
  }
  return [checkRange(address[0], MAX_UINT32, form), checkRange(address[1], MAX_UINT32, form)];
}

/** The `struct sockaddr_ll` of an address, `undefined` when its interface is given by name. */
export function encodePacketAddress(address: unknown): Uint8Array | undefined {
  if (isBytes(address)) return encodeRaw(AF_PACKET, address);
  const link = (address as readonly unknown[] | undefined)?.[0];
  if (Array.isArray(address) && typeof link === "string") {
    encodePacket([0, ...address.slice(1)]);
    return undefined;
  }
  return encodePacket(address);
}

/** The `struct sockaddr_ll` of `[interfaceIndex, protocol, packetType?, hardwareType?, hardwareAddress?]`. */
export function encodePacket(address: unknown): Uint8Array {
  if (!Array.isArray(address) || address.length < 2 || address.length > 5) {
    const form =
      "an AF_PACKET address is [interface, protocol, packetType?, hardwareType?, hardwareAddress?]";
    throw new LocalProtocolError(`${form} or the bytes of a sockaddr, not ${show(address)}`);
  }
  const [index, protocol, packetType = 0, hardwareType = 0, hardware = new Uint8Array()] =
    address as unknown[];
  if (!isBytes(hardware) || hardware.length > 8) {
    throw new LocalProtocolError(`a hardware address is at most 8 bytes, not ${show(hardware)}`);
  }
  const bytes = new Uint8Array(20);
  writeFamily(bytes, AF_PACKET);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, checkRange(protocol, 0xffff, "an ethernet protocol"));
  view.setUint32(4, checkRange(index, 0x7fffffff, "an interface index"), LITTLE_ENDIAN);
  view.setUint16(8, checkRange(hardwareType, 0xffff, "a hardware type"), LITTLE_ENDIAN);
  view.setUint8(10, checkRange(packetType, 0xff, "a packet type"));
  view.setUint8(11, hardware.length);
  bytes.set(hardware, 12);
  return bytes;
}

/** A copy of the bytes of a `struct sockaddr`. */
export function encodeRaw(family: number, address: unknown): Uint8Array {
  if (isBytes(address) && address.length >= 2 && address.length <= SOCKADDR_BYTES) return address.slice();
  throw new LocalProtocolError(
    `an address of family ${family} is the bytes of its struct sockaddr (2 to ${SOCKADDR_BYTES}), not ${show(address)}`,
  );
}
