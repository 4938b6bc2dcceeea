/**
 * errno, read as soon as a call has returned. Whatever runs between the call and a later look may change it: a garbage
 * collection, or a function handed to V8's compiler threads, takes locks, and a lock that another thread holds leaves
 * EAGAIN or EINTR behind. Then a connection under way would look refused, and one that was broken off merely quiet.
 */
import type { ResolverCall } from "./native.js";

type Call<Args extends readonly unknown[], Result> = (...args: Args) => Result;
type Callback = (error: Error | null, result: number) => void;

/** The errno of a thread's last call. `location` is where libc keeps it. */
export class KeptErrno {
  readonly #location: Int32Array;
  #errno = 0;

  constructor(location: Int32Array) {
    this.#location = location;
  }

  get last(): number {
    return this.#errno;
  }

  /**
   * `call`, which now leaves its errno here. Nothing may stand between the call and the look: where one JavaScript
   * function calls another V8 does work of its own.
   */
  after<Args extends readonly unknown[], Result>(call: Call<Args, Result>): Call<Args, Result> {
    const location = this.#location;
    return (...args) => {
      const result = call(...args);
      this.#errno = location[0] as number;
      return result;
    };
  }

  /** The same for a call that has a form on the thread pool. */
  afterResolver<Args extends readonly unknown[]>(call: ResolverCall<Args>): ResolverCall<Args> {
    const async = (...args: [...Args, Callback]): void => {
      const callback = args.pop() as Callback;
      const keep: Callback = (error, result) => {
        this.#errno = this.#location[0] as number;
        callback(error, result);
      };
      call.async(...(args as unknown as Args), keep);
    };
    return Object.assign(this.after(call), { async });
  }
}
