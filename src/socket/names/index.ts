/** Names and numbers: hosts, services, protocols, interfaces, and addresses as text and bytes. */
export { getfqdn, getfqdnSync, gethostname, sethostname } from "./host.js";
export {
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameEx,
  gethostbynameExSync,
  gethostbynameSync,
  type HostEntry,
} from "./host-entry.js";
export { htonl, htons, inetAton, inetNtoa, inetNtop, inetPton, ntohl, ntohs } from "./inet.js";
export { ifIndexToName, ifNameIndex, ifNameToIndex } from "./interfaces.js";
export { getnameinfo, getnameinfoSync } from "./nameinfo.js";
export { type AddressHints, type AddressInfo, getaddrinfo, getaddrinfoSync } from "./resolve.js";
export { getprotobyname, getservbyname, getservbyport } from "./services.js";
export type { LookupOptions } from "./steps.js";
export type { LookupHost, LookupService } from "./target.js";
