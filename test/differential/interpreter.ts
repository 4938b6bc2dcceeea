/**
 * Runs probes (see language.ts) with hawser: `node interpreter.js sync|promise`, probes in on stdin, a line of JSON a
 * probe out on stdout. Every call that has two forms is made in the one that was asked for.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeadlineError, LocalProtocolError, NameError, SocketError } from "../../src/core/errors.js";
import * as hawser from "../../src/socket/index.js";
import type { Outcome, Probe, Result, Step, Value } from "./language.js";

type Form = "sync" | "promise";
/** A value of the language at work: whatever the calls gave. */
type Thing = unknown;
type Callable = (...args: Thing[]) => Thing;

const { Socket, SocketFile } = hawser;

/** What the steps of one probe gave names to, and the folder of its own. */
class Names {
  readonly folder: string = mkdtempSync(join(tmpdir(), "hawser-"));
  readonly #things = new Map<string, Thing>();

  set(name: string, thing: Thing): void {
    this.#things.set(name, thing);
  }

  find(reference: string): Thing {
    const [name = "", ...indices] = reference.match(/\w+/g) ?? [];
    return indices.reduce((thing, index) => (thing as Thing[])[Number(index)], this.#things.get(name));
  }

  value(arg: Value): Thing {
    if (Array.isArray(arg)) return arg.map((item: Value) => this.value(item));
    if (typeof arg === "object" && arg !== null)
      return this.#special(arg as Exclude<Value, readonly Value[]>);
    if (typeof arg !== "string") return arg;
    if (arg.startsWith("$")) return constants(arg.slice(1));
    return arg.startsWith("@") ? this.find(arg.slice(1)) : this.#text(arg);
  }

  #special(arg: Exclude<Value, readonly Value[]>): Thing {
    if (typeof arg !== "object" || arg === null) return arg;
    if ("b" in arg) return Uint8Array.from(Buffer.from(this.#text(arg.b as string), "latin1"));
    if ("repeat" in arg) return (arg.repeat[0] as string).repeat(arg.repeat[1] as number);
    if ("path" in arg) return `${this.folder}/`.padEnd(arg.path as number, "p");
    return "float" in arg ? arg.float : arg;
  }

  #text(text: string): string {
    return text.replaceAll("{tmp}", this.folder);
  }

  /** The folder's name is of this run alone. */
  hideFolder(text: string): string {
    return text.replaceAll(this.folder, "{tmp}");
  }

  end(): void {
    for (const thing of [...this.#things.values()].flat()) if (thing instanceof Socket) closeQuietly(thing);
    Socket.defaultTimeoutMs = null;
    rmSync(this.folder, { recursive: true });
  }
}

function closeQuietly(socket: hawser.Socket): void {
  try {
    socket.close();
  } catch {
    // A probe may have closed the descriptor behind its back.
  }
}

function constants(names: string): number {
  return names
    .split("|")
    .reduce((value, name) => value | (hawser as unknown as Record<string, number>)[name]!, 0);
}

function camelCase(name: string): string {
  return /^[A-Z]/.test(name) ? name : name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A method or function in the form that is asked for. */
function inForm(holder: object, name: string, form: Form): Callable {
  const members = holder as Record<string, Callable | undefined>;
  const call = (form === "sync" ? members[`${name}Sync`] : undefined) ?? members[name];
  if (typeof call !== "function") throw new Error(`hawser has no ${name}`);
  return (...args) => call.apply(holder, args);
}

const seconds = (value: Thing): Thing => (typeof value === "number" ? value * 1000 : value);

/** The open flags of a descriptor, as the kernel has them. */
function descriptorFlags(fd: number): number {
  return Number.parseInt(
    /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] as string,
    8,
  );
}

const functions: Record<string, (form: Form, ...args: never[]) => Thing> = {
  socket: (_, family?: number, type?: number, protocol?: number) => new Socket(family, type, protocol),
  fromfd: (_, fd: number) => Socket.fromFd(fd),
  socketpair: (_, family?: number, type?: number, protocol?: number) =>
    hawser.socketPair(family, type, protocol),
  setdefaulttimeout: (_, timeout: number | null) => {
    Socket.defaultTimeoutMs = seconds(timeout) as number | null;
    return null;
  },
  getdefaulttimeout: () => toSeconds(Socket.defaultTimeoutMs),
  create_server: (form, address: never, family?: number, dualStack = false, reusePort = false) =>
    inForm(
      hawser,
      "createServer",
      form,
    )(address, { ...(family === undefined ? {} : { family }), dualStack, reusePort }),
  create_connection: (form, address: never, timeout: number | null = null, localAddress?: never) =>
    inForm(
      hawser,
      "createConnection",
      form,
    )(address, {
      timeoutMs: seconds(timeout),
      ...(localAddress === undefined ? {} : { localAddress }),
    }),
  getaddrinfo: async (form, host: never, port = null, family = 0, type = 0, protocol = 0, flags = 0) => {
    const found = (await inForm(hawser, "getaddrinfo", form)(host, port, {
      family,
      type,
      protocol,
      flags,
    })) as hawser.AddressInfo[];
    return found.map((info) => [info.family, info.type, info.protocol, info.canonicalName, info.address]);
  },
  if_nameindex: () => hawser.ifNameIndex(),
  if_nametoindex: (_, name: string) => hawser.ifNameToIndex(name),
  if_indextoname: (_, index: number) => hawser.ifIndexToName(index),
  send_fds: (form, socket: never, data: Uint8Array, fds: number[]) =>
    inForm(hawser, "sendFds", form)(socket, [data], fds),
  recv_fds: async (form, socket: never, maxBytes: number, maxFds: number) => {
    const { data, fds, flags } = (await inForm(hawser, "recvFds", form)(
      socket,
      maxBytes,
      maxFds,
    )) as hawser.ReceivedFds;
    const closeOnExec = fds.map((fd) => (descriptorFlags(fd) & hawser.SOCK_CLOEXEC) !== 0);
    for (const fd of fds) closeSync(fd);
    return [data, closeOnExec, flags];
  },
  buffer: (_, length: number) => new Uint8Array(length),
  len: (_, thing: { length: number }) => thing.length,
  slice: (_, data: Uint8Array, start: number, end: number) => data.slice(start, end),
  open: (_, path: string) => openSync(path, "r"),
  openfile: (_, path: string) => openSync(path, "r"),
  closefd: (_, fd: number) => closeSync(fd),
  writefile: (_, path: string, content: Uint8Array) => writeFileSync(path, content),
  position: (_, fd: number) =>
    Number(/pos:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]),
  exists: (_, path: string) => existsSync(path),
  fd_open: (_, fd: number) => fd >= 0 && existsSync(`/proc/self/fd/${fd}`),
};

function toSeconds(timeoutMs: number | null): number | null {
  return timeoutMs === null ? null : timeoutMs / 1000;
}

const methods: Record<string, (form: Form, socket: hawser.Socket, ...args: never[]) => Thing> = {
  settimeout: (_, socket, timeout: number | null) => {
    socket.timeoutMs = seconds(timeout) as number | null;
    return null;
  },
  set_timeout: (_, socket, timeout: number | null) => {
    socket.timeoutMs = timeout;
    return null;
  },
  gettimeout: (_, socket) => toSeconds(socket.timeoutMs),
  timeout_ms: (_, socket) => socket.timeoutMs,
  getblocking: (_, socket) => socket.blocking,
  get_inheritable: (_, socket) => socket.inheritable,
  set_inheritable: (_, socket, inheritable: boolean) => {
    socket.inheritable = inheritable;
    return null;
  },
  fileno: (_, socket) => (socket.fileno() >= 0 ? "fd" : -1),
  fd: (_, socket) => socket.fileno(),
  family: (_, socket) => socket.family,
  type: (_, socket) => socket.type,
  proto: (_, socket) => socket.protocol,
  o_nonblock: (_, socket) => (descriptorFlags(socket.fileno()) & hawser.SOCK_NONBLOCK) !== 0,
  cloexec: (_, socket) => (descriptorFlags(socket.fileno()) & hawser.SOCK_CLOEXEC) !== 0,
  getsockopt_truth: (_, socket, level: number, option: number) => socket.getsockopt(level, option) !== 0,
  recvmsg: async (form, socket, ...args) => {
    const message = (await inForm(socket, "recvmsg", form)(...args)) as hawser.Message;
    return [message.data, triples(message.ancillary), message.flags, message.address ?? null];
  },
  recvmsg_into: async (form, socket, ...args) => {
    const message = (await inForm(socket, "recvmsgInto", form)(...args)) as hawser.MessageInfo;
    return [message.bytes, triples(message.ancillary), message.flags, message.address ?? null];
  },
  sendall: async (form, socket, ...args) => {
    await inForm(socket, "sendall", form)(...args);
    return null;
  },
  makefile: (_, socket, mode: "r" = "r", bufferBytes?: number) =>
    socket.makefile(mode, bufferBytes === undefined ? {} : { bufferBytes }),
  sendfile: (form, socket, file: number, offset = 0, count?: number) =>
    inForm(socket, "sendFile", form)(file, { offset, ...(count === undefined ? {} : { count }) }),
};

function triples(ancillary: readonly hawser.AncillaryItem[]): Thing[] {
  return ancillary.map(({ level, type, data }) => [level, type, data]);
}

const fileMethods: Record<string, string> = { readline: "readLine", readinto: "readInto" };

function runCall(names: Names, form: Form, call: string, args: readonly Value[]): Thing {
  const dot = call.lastIndexOf(".");
  const values = args.map((arg) => names.value(arg)) as never[];
  const name = call.slice(dot + 1);
  if (dot < 0) return functions[name]?.(form, ...values) ?? undefinedOr(name, form, values);
  const thing = names.find(call.slice(0, dot));
  if (thing instanceof SocketFile) return callFile(thing, name, form, values);
  if (!(thing instanceof Socket)) throw new Error(`${call}: not a socket`);
  const special = methods[name];
  return special ? special(form, thing, ...values) : inForm(thing, camelCase(name), form)(...values);
}

function undefinedOr(name: string, form: Form, values: Thing[]): Thing {
  return name in functions ? null : inForm(hawser, camelCase(name), form)(...values);
}

/** `closed` and the like are properties here. */
function callFile(file: InstanceType<typeof SocketFile>, name: string, form: Form, values: Thing[]): Thing {
  const member = fileMethods[name] ?? name;
  const value = (file as unknown as Record<string, Thing>)[member];
  return typeof value === "function" ? inForm(file, member, form)(...values) : value;
}

const addressCalls = new Set(["getsockname", "getpeername"]);
/** Where an address stands in a call's result. */
const addressPlaces: Record<string, number> = {
  accept: 1,
  recvfrom: 1,
  recvfrom_into: 1,
  recvmsg: 3,
  recvmsg_into: 3,
};

function show(names: Names, method: string, value: Thing): Result {
  if (addressCalls.has(method)) return show(names, "", hidePort(value));
  const place = addressPlaces[method];
  if (place !== undefined && Array.isArray(value)) {
    return show(
      names,
      "",
      value.map((part, index) => (index === place ? hidePort(part) : part)),
    );
  }
  if (value instanceof Uint8Array) return { b: names.hideFolder(Buffer.from(value).toString("latin1")) };
  if (value instanceof Socket) return { socket: [value.family, value.type, value.protocol] };
  if (Array.isArray(value)) return value.map((item) => show(names, "", item));
  if (typeof value === "string") return names.hideFolder(value);
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  return value instanceof SocketFile ? "file" : String(value);
}

function hidePort(address: Thing): Thing {
  if (!Array.isArray(address)) return address;
  const [host, port, ...rest] = address as Thing[];
  return [host, port === 0 ? 0 : "port", ...rest];
}

function showError(error: unknown): Result {
  if (error instanceof AggregateError) return { error: "several" };
  if (error instanceof LocalProtocolError) return { error: "argument" };
  if (error instanceof DeadlineError) return { error: "timeout" };
  if (error instanceof NameError && /^get(serv|proto)/.test(error.syscall)) return { error: "not found" };
  if (error instanceof NameError)
    return { error: error.errno < 0 ? "resolver" : "host", number: error.errno };
  if (error instanceof SocketError && error.syscall === "if_nametoindex") return { error: "not found" };
  if (error instanceof SocketError) return { error: "errno", number: error.errno };
  return { error: `${error}` };
}

async function runStep(names: Names, form: Form, [step, ...args]: Step): Promise<Result> {
  const [, hidden, name, call = ""] = /^(~?)(?:(\w+)=)?(.+)$/.exec(step) as RegExpExecArray;
  try {
    const value = await runCall(names, form, call, args);
    if (name !== undefined) names.set(name, value);
    return hidden ? "hidden" : show(names, call.slice(call.lastIndexOf(".") + 1), value);
  } catch (error) {
    return showError(error);
  }
}

async function runProbe({ name, steps }: Probe, form: Form): Promise<Outcome> {
  const names = new Names();
  const results: Result[] = [];
  try {
    for (const step of steps) results.push(await runStep(names, form, step));
  } finally {
    names.end();
  }
  return { name, results };
}

const form = process.argv[2] as Form;
for (const probe of JSON.parse(readFileSync(0, "utf8")) as Probe[]) {
  process.stdout.write(`${JSON.stringify(await runProbe(probe, form))}\n`);
}
