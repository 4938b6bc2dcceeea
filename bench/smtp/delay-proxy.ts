/** A proxy that lets every byte wait: the network's distance without a network. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Passes on what comes in either direction, `delayMs` later each. */
export class DelayProxy implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(targetPort: number, delayMs: number): Promise<DelayProxy> {
    const server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
      passOn(near, far, delayMs);
      passOn(far, near, delayMs);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new DelayProxy(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function passOn(from: Socket, to: Socket, delayMs: number): void {
  const later = (work: () => void) => setTimeout(work, delayMs);
  from.on("data", (chunk) => later(() => to.write(chunk)));
  from.on("end", () => later(() => to.end()));
  from.on("error", () => to.destroy());
  from.on("close", () => later(() => to.destroy()));
}
