/**
 * The libc calls that level 1 stands on, as one small interface. Nothing above `native/` knows which foreign
 * function library is underneath: `koffi.ts` implements this today, another one may tomorrow.
 *
 * Every call returns what C returns: a count, a descriptor or 0, and -1 with the reason in {@link Native.errno}.
 * It stays there until the next call of the table.
 */

/** Memory handed to a call: a view whose bytes the call reads or writes, an address, or NULL. */
export type Pointer = Uint8Array | bigint | null;

/** A resolver call: blocking when called plainly, on a pool thread when called through `async`. */
export interface ResolverCall<Args extends readonly unknown[]> {
  (...args: Args): number;
  /** Runs on libuv's pool. Every buffer among the arguments must stay reachable until the callback. */
  async(...args: [...Args, (error: Error | null, result: number) => void]): void;
}

/** Watches one descriptor for readability on Node's event loop. */
export interface PollHandle {
  ref(): void;
  unref(): void;
  close(): void;
}

/** The table of libc functions, and the few services of the FFI library that go with them. */
export interface Native {
  /** The errno that the last call of this table left, on this thread. */
  errno(): number;
  /** The address of a view's first byte. The caller must keep the view alive for as long as the address is used. */
  address(memory: Uint8Array): bigint;
  /** A copy of `length` bytes of foreign memory. */
  copy(address: bigint, length: number): Uint8Array;
  /** Calls `callback` on the event loop whenever `fd` is readable (level-triggered). Main thread only. */
  watch(fd: number, callback: () => void): PollHandle;
  /**
   * Has `close(fd)` called when this worker thread's environment is torn down, `worker.terminate()` included; the
   * calls below do so themselves for descriptors that they make. Nothing on the main thread.
   */
  closeAtExit(fd: number): void;
  /** Takes {@link closeAtExit} back, for a descriptor that is given away; {@link Native.close} does so itself. */
  forgetAtExit(fd: number): void;

  socket(family: number, type: number, protocol: number): number;
  socketpair(family: number, type: number, protocol: number, fds: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Pointer, length: Pointer, flags: number): number;
  connect(fd: number, address: Pointer, length: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  ioctl(fd: number, request: number, argument: Pointer): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  getpeername(fd: number, address: Uint8Array, length: Uint8Array): number;
  getsockopt(fd: number, level: number, option: number, value: Pointer, length: Pointer): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, length: number): number;

  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  recvfrom(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Pointer,
    addressLength: Pointer,
  ): number;
  recvmsg(fd: number, header: Uint8Array, flags: number): number;
  recvmmsg(fd: number, headers: Uint8Array, count: number, flags: number, timeout: null): number;
  send(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Pointer,
    addressLength: number,
  ): number;
  sendmsg(fd: number, header: Uint8Array, flags: number): number;
  sendmmsg(fd: number, headers: Uint8Array, count: number, flags: number): number;
  sendfile(outFd: number, inFd: number, offset: Uint8Array | null, count: number): number;

  poll(fds: Uint8Array, count: number, timeoutMs: number): number;
  epollCreate(flags: number): number;
  epollCtl(epfd: number, operation: number, fd: number, event: Uint8Array | null): number;
  epollWait(epfd: number, events: Uint8Array, maxEvents: number, timeoutMs: number): number;

  readonly getaddrinfo: ResolverCall<
    [node: Pointer, service: Pointer, hints: Uint8Array, result: Uint8Array]
  >;
  freeaddrinfo(list: bigint): void;
  readonly getnameinfo: ResolverCall<
    [
      address: Uint8Array,
      length: number,
      host: Pointer,
      hostLength: number,
      service: Pointer,
      serviceLength: number,
      flags: number,
    ]
  >;
  readonly gethostbynameR: ResolverCall<
    [
      name: Uint8Array,
      hostent: Uint8Array,
      buffer: Uint8Array,
      length: number,
      result: Uint8Array,
      hErrno: Uint8Array,
    ]
  >;
  readonly gethostbyaddrR: ResolverCall<
    [
      address: Uint8Array,
      addressLength: number,
      family: number,
      hostent: Uint8Array,
      buffer: Uint8Array,
      length: number,
      result: Uint8Array,
      hErrno: Uint8Array,
    ]
  >;
  getservbynameR(
    name: Uint8Array,
    protocol: Pointer,
    servent: Uint8Array,
    buffer: Uint8Array,
    length: number,
    result: Uint8Array,
  ): number;
  getservbyportR(
    port: number,
    protocol: Pointer,
    servent: Uint8Array,
    buffer: Uint8Array,
    length: number,
    result: Uint8Array,
  ): number;
  getprotobynameR(
    name: Uint8Array,
    protoent: Uint8Array,
    buffer: Uint8Array,
    length: number,
    result: Uint8Array,
  ): number;
  gethostname(buffer: Uint8Array, length: number): number;
  sethostname(name: Uint8Array, length: number): number;
  ifNameindex(): bigint | null;
  ifFreenameindex(list: bigint): void;
  ifNametoindex(name: Uint8Array): number;
  ifIndextoname(index: number, buffer: Uint8Array): bigint | null;
}
