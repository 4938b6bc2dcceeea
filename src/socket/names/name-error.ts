/** The errors of the resolver: the two sets of numbers that libc uses, and what to do about each. */
import { NameError } from "../../core/errors.js";
import * as constants from "../constants.js";
import { errnoName, errnoText } from "../native/errno.js";

type Row = readonly [code: string, text: string];

/** Failures of getaddrinfo and getnameinfo. */
const eaiRows: ReadonlyMap<number, Row> = new Map<number, Row>([
  [constants.EAI_BADFLAGS, ["EAI_BADFLAGS", "the flags contradict each other or are unknown"]],
  [constants.EAI_NONAME, ["EAI_NONAME", "no such name; check its spelling, /etc/hosts and the name servers"]],
  [
    constants.EAI_AGAIN,
    ["EAI_AGAIN", "no name server answered; check the network and /etc/resolv.conf, or try again"],
  ],
  [constants.EAI_FAIL, ["EAI_FAIL", "the name server failed for good; ask another one"]],
  [constants.EAI_NODATA, ["EAI_NODATA", "the name exists but has no address; try another family"]],
  [constants.EAI_FAMILY, ["EAI_FAMILY", "the family is not supported; use AF_INET, AF_INET6 or AF_UNSPEC"]],
  [constants.EAI_SOCKTYPE, ["EAI_SOCKTYPE", "the socket type is not supported, or not with this protocol"]],
  [
    constants.EAI_SERVICE,
    ["EAI_SERVICE", "no such service for this socket type; check /etc/services or give the port's number"],
  ],
  [
    constants.EAI_ADDRFAMILY,
    ["EAI_ADDRFAMILY", "the host has no address of the family; use one of the socket's family"],
  ],
  [constants.EAI_MEMORY, ["EAI_MEMORY", "out of memory"]],
  [constants.EAI_OVERFLOW, ["EAI_OVERFLOW", "the name is too long for its buffer"]],
]);

/** Failures of the gethostby… calls. */
const hostRows: ReadonlyMap<number, Row> = new Map<number, Row>([
  [1, ["HOST_NOT_FOUND", "no such host; check the spelling, /etc/hosts and the name servers"]],
  [2, ["TRY_AGAIN", "no name server answered; check the network and /etc/resolv.conf, or try again"]],
  [3, ["NO_RECOVERY", "the name server failed for good; the name may be malformed"]],
  [4, ["NO_DATA", "the host exists but has no address"]],
]);

/** What a look-up was about: `address` goes into the error's field, `subject` into its message where that says more. */
export interface Subject {
  readonly address: string;
  readonly subject?: string;
}

/** The error of an EAI_ number. For EAI_SYSTEM it is that of the errno behind it. */
export function eaiError(syscall: string, eai: number, errno: number, about: Subject): NameError {
  if (eai === constants.EAI_SYSTEM) return systemNameError(syscall, errno, about);
  return nameError(syscall, eai, eaiRows.get(eai) ?? [`EAI_${Math.abs(eai)}`, "the look-up failed"], about);
}

/** The error of an h_errno number, such as HOST_NOT_FOUND. For NETDB_INTERNAL it is that of the errno behind it. */
export function hostError(syscall: string, hErrno: number, errno: number, about: Subject): NameError {
  const row = hostRows.get(hErrno);
  return row === undefined ? systemNameError(syscall, errno, about) : nameError(syscall, hErrno, row, about);
}

function systemNameError(syscall: string, errno: number, about: Subject): NameError {
  return nameError(syscall, errno, [errnoName(errno), errnoText(errno)], about);
}

function nameError(
  syscall: string,
  errno: number,
  [code, text]: Row,
  { address, subject = address }: Subject,
): NameError {
  return new NameError(`${syscall} ${subject}: ${text} (${code})`, { errno, code, syscall, address });
}
