/** The network interfaces of the machine, by name and by index. */
import type { LocalProtocolError, SocketError } from "../../core/errors.js";
import { socketError } from "../native/errno.js";
import { native } from "../native/index.js";
import { checkRange, MAX_UINT32 } from "../sockaddr/parts.js";
import { cStringOf, foreignBytes, foreignText, intAt, pointerAt, textAt } from "./memory.js";

const IF_NAMESIZE = 16;

/**
 * Every network interface. Throws {@link SocketError} when the kernel does not tell.
 *
 * @example ifNameIndex() // [[1, "lo"], [2, "eth0"]]
 */
export function ifNameIndex(): [index: number, name: string][] {
  const libc = native();
  const list = libc.ifNameindex();
  if (list === null || list === 0n) throw socketError("if_nameindex", libc.errno());
  try {
    return readList(list);
  } finally {
    libc.ifFreenameindex(list);
  }
}

/** struct if_nameindex { unsigned index; char *name }[], ended by an index of 0. */
function readList(list: bigint): [index: number, name: string][] {
  const found: [number, string][] = [];
  for (let at = list; ; at += 16n) {
    const item = foreignBytes(at, 16);
    const name = pointerAt(item, 8);
    if (name === 0n) return found;
    found.push([intAt(item, 0), foreignText(name)]);
  }
}

/**
 * The index of the interface of a name. Throws {@link SocketError} ENODEV when there is none, {@link LocalProtocolError}
 * for a name that holds NUL.
 */
export function ifNameToIndex(name: string): number {
  const text = cStringOf(name, "an interface name");
  const libc = native();
  const index = libc.ifNametoindex(text);
  if (index === 0) throw socketError("if_nametoindex", libc.errno(), name);
  return index;
}

/** The name of the interface of an index. Throws {@link SocketError} ENXIO when there is none, as for 0. */
export function ifIndexToName(index: number): string {
  checkRange(index, MAX_UINT32, "an interface index");
  const libc = native();
  const name = new Uint8Array(IF_NAMESIZE);
  const pointer = libc.ifIndextoname(index, name);
  if (pointer === null || pointer === 0n) throw socketError("if_indextoname", libc.errno(), `${index}`);
  return textAt(name, 0);
}
