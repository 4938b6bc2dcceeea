/** Postfix's smtp-sink, which takes every message and keeps none. */
import { userInfo } from "node:os";
import { greeted } from "../../test/interop/greeting.js";
import { freePorts } from "../../test/interop/scratch.js";
import { type Peer, start } from "../processes.js";

const backlog = 100;

/** A running smtp-sink. */
export class Sink implements AsyncDisposable {
  readonly port: number;
  readonly #peer: Peer;

  private constructor(peer: Peer, port: number) {
    this.#peer = peer;
    this.port = port;
  }

  static async start(): Promise<Sink> {
    const [port = 0] = await freePorts(1);
    // As root it asks for somebody else to be.
    const user = userInfo().uid === 0 ? ["-u", "nobody"] : [];
    const peer = start(1, ["/usr/sbin/smtp-sink", ...user, `127.0.0.1:${port}`, `${backlog}`]);
    await greeted(port, "220");
    return new Sink(peer, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
