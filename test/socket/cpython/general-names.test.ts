/** CPython's GeneralModuleTests: hosts, services, interfaces. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { HawserError, LocalProtocolError, NameError, SocketError } from "../../../src/core/errors.js";
import {
  type AddressHints,
  type AddressInfo,
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  AI_NUMERICSERV,
  AI_PASSIVE,
  getaddrinfo,
  getaddrinfoSync,
  getfqdn,
  getfqdnSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameSync,
  gethostname,
  getnameinfo,
  getnameinfoSync,
  getservbyname,
  getservbyport,
  type HostEntry,
  type Inet6AddressLike,
  type InetAddressLike,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ifIndexToName,
  ifNameIndex,
  ifNameToIndex,
  type LookupHost,
  type LookupService,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../../src/socket/index.js";
import { rejectsWith, throwsWith } from "../support.js";
import { type Form, noIpv6, port, portForms } from "./forms.js";

// Each look-up in one of its forms.
const addressOf = async (form: Form, host: string): Promise<string> =>
  form === "Sync" ? gethostbynameSync(host) : gethostbyname(host);
const entryOf = async (form: Form, host: string): Promise<HostEntry> =>
  form === "Sync" ? gethostbyaddrSync(host) : gethostbyaddr(host);
const fqdnOf = async (form: Form, host?: string): Promise<string> =>
  form === "Sync" ? getfqdnSync(host) : getfqdn(host);
const namesOf = async (
  form: Form,
  address: InetAddressLike | Inet6AddressLike,
  flags = 0,
): Promise<[string, string]> =>
  form === "Sync" ? getnameinfoSync(address, flags) : getnameinfo(address, flags);
const addressesOf = async (
  form: Form,
  host: LookupHost,
  service: LookupService,
  hints: AddressHints = {},
): Promise<AddressInfo[]> =>
  form === "Sync" ? getaddrinfoSync(host, service, hints) : getaddrinfo(host, service, hints);

portForms("GeneralModuleTests.testHostnameRes", async (form, t) => {
  const own = gethostname();
  let address: string;
  let entry: HostEntry;
  try {
    address = await addressOf(form, own);
    entry = await entryOf(form, address);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    return t.skip(`this machine does not know its own name: ${error.message}`);
  }
  assert.match(address, /^\d+\.\d+\.\d+\.\d+$/);
  const [name, aliases] = entry;
  const qualified = await fqdnOf(form, address);
  assert.ok([own, name, ...aliases].includes(qualified), `${qualified} of ${[own, name, ...aliases]}`);
});

portForms("GeneralModuleTests.test_host_resolution", async (form) => {
  for (const address of ["127.0.0.1", "10.0.0.1", "255.255.255.255"]) {
    assert.equal(await addressOf(form, address), address);
  }
  const [, , addresses] = await entryOf(form, "127.0.0.1");
  assert.ok(addresses.includes("127.0.0.1"));
});

portForms("GeneralModuleTests.test_host_resolution_bad_address", async (form) => {
  for (const wrong of ["0.1.1.~1", "1+.1.1.1", "::1q", "::1::2", "1:1:1:1:1:1:1:1:1"]) {
    await rejectsWith(addressOf(form, wrong), NameError);
    await rejectsWith(entryOf(form, wrong), NameError);
  }
});

port("GeneralModuleTests.test_sethostname", (t) => {
  const unshare = ["unshare", "--uts"] as const;
  if (spawnSync(...head([...unshare, "true"])).status !== 0)
    return t.skip("unshare --uts is not permitted here");
  const module = new URL("../../../src/socket/index.js", import.meta.url).href;
  const program = `
    import { gethostname, sethostname } from ${JSON.stringify(module)};
    sethostname("new");
    console.log(gethostname());
    sethostname(new TextEncoder().encode("bar"));
    console.log(gethostname());`;
  const before = gethostname();
  const node = [process.execPath, "--input-type=module", "-e", program];
  const child = spawnSync(...head([...unshare, ...node]), { timeout: 30_000, encoding: "utf8" });
  assert.equal(child.stdout + child.stderr, "new\nbar\n");
  assert.equal(gethostname(), before);
});

function head([command = "", ...rest]: readonly string[]): [command: string, args: string[]] {
  return [command, rest];
}

port("GeneralModuleTests.testInterfaceNameIndex", () => {
  const interfaces = ifNameIndex();
  assert.ok(interfaces.length > 0);
  for (const [index, name] of interfaces) {
    assert.ok(Number.isInteger(index) && index > 0);
    assert.equal(typeof name, "string");
    assert.equal(ifNameToIndex(name), index);
    assert.equal(ifIndexToName(index), name);
  }
});

port("GeneralModuleTests.testInvalidInterfaceIndexToName", () => {
  throwsWith(() => ifIndexToName(0), SocketError, "ENXIO");
  throwsWith(() => ifIndexToName("_DEADBEEF" as unknown as number), LocalProtocolError);
});

port("GeneralModuleTests.testInvalidInterfaceNameToIndex", () => {
  throwsWith(() => ifNameToIndex(0 as unknown as string), LocalProtocolError);
  throwsWith(() => ifNameToIndex("_DEADBEEF"), SocketError, "ENODEV");
});

portForms(
  "GeneralModuleTests.testRefCountGetNameInfo",
  async (form) => {
    const text = "general-names" as unknown as InetAddressLike;
    const error = await rejectsWith(namesOf(form, text), HawserError);
    assert.ok(error.message.includes("general-names"), error.message);
  },
  { note: "text is no address; references are not counted in JavaScript" },
);

portForms("GeneralModuleTests.testInterpreterCrash", async (form) => {
  await rejectsWith(namesOf(form, ["x", 0, 0, 0]), HawserError);
});

portForms("GeneralModuleTests.test_getnameinfo", async (form) => {
  await rejectsWith(namesOf(form, ["mail.python.org", 0]), NameError, "EAI_NONAME");
});

port("GeneralModuleTests.testGetServBy", () => {
  for (const [service, number] of [
    ["daytime", 13],
    ["qotd", 17],
    ["domain", 53],
  ] as const) {
    assert.equal(getservbyname(service, "tcp"), number);
    assert.equal(getservbyname(service), number);
    assert.equal(getservbyport(number), service);
    assert.equal(getservbyport(number, "tcp"), service);
  }
  assert.equal(getservbyname("domain", "udp"), 53);
  assert.equal(getservbyport(53, "udp"), "domain");
  throwsWith(() => getservbyport(-1), LocalProtocolError);
  throwsWith(() => getservbyport(65_536), LocalProtocolError);
});

portForms(
  "GeneralModuleTests.testGetaddrinfo",
  async (form) => {
    const found = (host: LookupHost, service: LookupService, hints?: AddressHints) =>
      addressesOf(form, host, service, hints);
    for (const info of await found("localhost", null)) {
      assert.deepEqual(Object.keys(info).sort(), ["address", "canonicalName", "family", "protocol", "type"]);
    }
    for (const host of ["localhost", "127.0.0.1", null, ...(noIpv6 === false ? ["::1"] : [])]) {
      for (const { address } of await found(host, 80)) assert.equal(address[1], 80);
    }
    for (const { address } of await found("localhost", "http")) assert.equal(address[1], 80);
    for (const { address } of await found("localhost", null)) assert.equal(address[1], 0);
    const four = await found("localhost", 80, { family: AF_INET, type: SOCK_STREAM });
    assert.deepEqual(
      four.map(({ family, type, protocol, address }) => [family, type, protocol, address]),
      [[AF_INET, SOCK_STREAM, IPPROTO_TCP, ["127.0.0.1", 80]]],
    );
    const streams = await found("localhost", null, { type: SOCK_STREAM });
    assert.ok(streams.length > 0 && streams.every(({ type }) => type === SOCK_STREAM));
    const tcp = await found("localhost", null, { protocol: IPPROTO_TCP });
    assert.ok(tcp.length > 0 && tcp.every(({ protocol }) => protocol === IPPROTO_TCP));
    assert.ok((await found("localhost", null, { flags: AI_PASSIVE })).length > 0);
    const any = await found(null, 0, { family: AF_UNSPEC, type: SOCK_STREAM, flags: AI_PASSIVE });
    assert.ok(any.every(({ address: [host] }) => host === "0.0.0.0" || host === "::"));
    assert.ok(any.length > 0);
    await rejectsWith(found("localhost", "\ud800"), HawserError);
    // No service at all, and that to be a number: whether it is refused is libc's affair.
    await found("localhost", null, { flags: AI_NUMERICSERV }).catch((error: unknown) => {
      assert.ok(error instanceof NameError);
    });
  },
  { note: "filters are options by name, and each answer an object" },
);

const mixedCase = "ff02::1de:c0:face:8D";
const udp6 = { family: AF_INET6, type: SOCK_DGRAM, protocol: IPPROTO_UDP };

portForms(
  "GeneralModuleTests.test_getaddrinfo_ipv6_basic",
  async (form) => {
    const found = await addressesOf(form, mixedCase, 1234, udp6);
    assert.deepEqual(
      found.map(({ address }) => address),
      [["ff02::1de:c0:face:8d", 1234, 0, 0]],
    );
  },
  { skip: noIpv6 },
);

portForms(
  "GeneralModuleTests.test_getaddrinfo_ipv6_scopeid_symbolic",
  async (form) => {
    const [[index, name] = [0, ""]] = ifNameIndex();
    const found = await addressesOf(form, `${mixedCase}%${name}`, 1234, udp6);
    assert.deepEqual(
      found.map(({ address }) => address),
      [["ff02::1de:c0:face:8d", 1234, 0, index]],
    );
  },
  { skip: noIpv6 },
);

portForms(
  "GeneralModuleTests.test_getnameinfo_ipv6_scopeid_symbolic",
  async (form) => {
    const [[index, name] = [0, ""]] = ifNameIndex();
    const names = await namesOf(form, [mixedCase, 1234, 0, index], NI_NUMERICHOST | NI_NUMERICSERV);
    assert.deepEqual(names, [`ff02::1de:c0:face:8d%${name}`, "1234"]);
  },
  { skip: noIpv6 },
);

portForms("GeneralModuleTests.test_getfqdn_filter_localhost", async (form) => {
  const own = await fqdnOf(form);
  assert.notEqual(own, "");
  assert.equal(await fqdnOf(form, "0.0.0.0"), own);
  assert.equal(await fqdnOf(form, "::"), own);
});
