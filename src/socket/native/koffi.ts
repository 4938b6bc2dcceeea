/**
 * {@link Native} over koffi 3, which ships prebuilt: no compiler, no install script of ours.
 *
 * Declarations use fixed arity and anonymous types, for koffi's type names are global to the process and two copies
 * of hawser must load side by side. `void *` with a typed array is koffi's fast path (0.5 µs a call).
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import type koffiModule from "koffi";
import { UnsupportedError } from "../../core/errors.js";
import { closingAtExit, type DescriptorCalls } from "./exit-hooks.js";
import { KeptErrno } from "./kept-errno.js";
import type { Native, PollHandle } from "./native.js";

type Koffi = typeof koffiModule;
type Libc = ReturnType<Koffi["load"]>;

/** Loads koffi and binds the table. Throws {@link UnsupportedError} where koffi is absent or refused. */
export function loadKoffi(): Native {
  const koffi = requireKoffi();
  const libc = koffi.load(null);
  const raw = (name: string, result: string, ...args: string[]) => libc.func(name, result, args);
  const errno = new KeptErrno(new Int32Array(koffi.view(raw("__errno_location", "void *")(), 4)));
  const func = (name: string, result: string, ...args: string[]) => errno.after(raw(name, result, ...args));
  const resolver = (name: string, ...args: string[]) =>
    errno.afterResolver(raw(name, "int", ...args)) as never;
  const descriptors = descriptorCalls(koffi, libc);
  // Not koffi.view: a thread that is terminated in the middle of that takes the process down.
  const memcpy = raw("memcpy", "void", "void *", "void *", "size_t");

  return {
    errno: () => errno.last,
    address: koffi.address,
    copy: (address, length) => {
      const bytes = new Uint8Array(length);
      memcpy(bytes, address, length);
      return bytes;
    },
    watch: (fd, callback) => watch(koffi, fd, callback),
    closeAtExit: descriptors.closeAtExit,
    forgetAtExit: descriptors.forgetAtExit,

    socket: errno.after(descriptors.socket),
    socketpair: errno.after(descriptors.socketpair),
    bind: func("bind", "int", "int", "void *", "uint32_t"),
    listen: func("listen", "int", "int", "int"),
    accept4: errno.after(descriptors.accept4),
    connect: func("connect", "int", "int", "void *", "uint32_t"),
    shutdown: func("shutdown", "int", "int", "int"),
    close: errno.after(descriptors.close),
    fcntl: errno.after(descriptors.fcntl),
    ioctl: func("ioctl", "int", "int", "uint64_t", "void *"),
    getsockname: func("getsockname", "int", "int", "void *", "void *"),
    getpeername: func("getpeername", "int", "int", "void *", "void *"),
    getsockopt: func("getsockopt", "int", "int", "int", "int", "void *", "void *"),
    setsockopt: func("setsockopt", "int", "int", "int", "int", "void *", "uint32_t"),

    recv: func("recv", "int64_t", "int", "void *", "size_t", "int"),
    recvfrom: func("recvfrom", "int64_t", "int", "void *", "size_t", "int", "void *", "void *"),
    recvmsg: func("recvmsg", "int64_t", "int", "void *", "int"),
    recvmmsg: func("recvmmsg", "int", "int", "void *", "uint32_t", "int", "void *"),
    send: func("send", "int64_t", "int", "void *", "size_t", "int"),
    sendto: func("sendto", "int64_t", "int", "void *", "size_t", "int", "void *", "uint32_t"),
    sendmsg: func("sendmsg", "int64_t", "int", "void *", "int"),
    sendmmsg: func("sendmmsg", "int", "int", "void *", "uint32_t", "int"),
    sendfile: func("sendfile", "int64_t", "int", "int", "void *", "size_t"),

    poll: func("poll", "int", "void *", "uint64_t", "int"),
    epollCreate: func("epoll_create1", "int", "int"),
    epollCtl: func("epoll_ctl", "int", "int", "int", "int", "void *"),
    epollWait: func("epoll_wait", "int", "int", "void *", "int", "int"),

    getaddrinfo: resolver("getaddrinfo", "void *", "void *", "void *", "void *"),
    freeaddrinfo: func("freeaddrinfo", "void", "void *"),
    getnameinfo: resolver(
      "getnameinfo",
      "void *",
      "uint32_t",
      "void *",
      "uint32_t",
      "void *",
      "uint32_t",
      "int",
    ),
    gethostbynameR: resolver("gethostbyname_r", "void *", "void *", "void *", "size_t", "void *", "void *"),
    gethostbyaddrR: resolver(
      "gethostbyaddr_r",
      ...["void *", "uint32_t", "int", "void *", "void *", "size_t", "void *", "void *"],
    ),
    getservbynameR: resolver("getservbyname_r", "void *", "void *", "void *", "void *", "size_t", "void *"),
    getservbyportR: resolver("getservbyport_r", "int", "void *", "void *", "void *", "size_t", "void *"),
    getprotobynameR: resolver("getprotobyname_r", "void *", "void *", "void *", "size_t", "void *"),
    gethostname: func("gethostname", "int", "void *", "size_t"),
    sethostname: func("sethostname", "int", "void *", "size_t"),
    ifNameindex: func("if_nameindex", "void *"),
    ifFreenameindex: func("if_freenameindex", "void", "void *"),
    ifNametoindex: func("if_nametoindex", "uint32_t", "void *"),
    ifIndextoname: func("if_indextoname", "void *", "uint32_t", "void *"),
  };
}

/** What makes descriptors and ends them; in a worker thread none outlives the thread. */
function descriptorCalls(koffi: Koffi, libc: Libc): DescriptorCalls {
  const func = (name: string, ...args: string[]) => libc.func(name, "int", args);
  const calls: DescriptorCalls = {
    socket: func("socket", "int", "int", "int"),
    socketpair: func("socketpair", "int", "int", "int", "void *"),
    accept4: func("accept4", "int", "void *", "void *", "int"),
    fcntl: func("fcntl", "int", "int", "int64_t"),
    close: func("close", "int"),
    closeAtExit: () => {},
    forgetAtExit: () => {},
  };
  if (isMainThread) return calls;
  return closingAtExit(calls, {
    environment: koffi.node.env,
    close: libc.symbol("close"),
    add: func("napi_add_env_cleanup_hook", "void *", "void *", "intptr_t"),
    remove: func("napi_remove_env_cleanup_hook", "void *", "void *", "intptr_t"),
  });
}

function requireKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch (cause) {
    const denied = (cause as { code?: string }).code === "ERR_DLOPEN_DISABLED";
    throw new UnsupportedError(
      "level-1 sockets",
      denied
        ? "level-1 sockets need a native library: run node with --allow-addons beside --permission"
        : "level-1 sockets need the optional dependency koffi: install it with npm install koffi",
      { cause },
    );
  }
}

function watch(koffi: Koffi, fd: number, callback: () => void): PollHandle {
  return koffi.node.poll(fd, { readable: true }, callback);
}
