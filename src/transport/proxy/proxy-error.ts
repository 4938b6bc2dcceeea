/** What a proxy says when it does not connect. */
import { ReplyError } from "../../core/errors.js";

/**
 * A proxy refused to connect. `reply` is its answer as a number: the status of an HTTP proxy (403), the reply of a SOCKS
 * proxy (5). `command` is what was asked for: `CONNECT mail.example.com:25`. The connection is closed.
 */
export class ProxyError extends ReplyError<number> {
  constructor(message: string, reply: number, command: string, permanent: boolean) {
    super(message, { reply, command, permanent, errorCode: "HAWSER_PROXY", fault: "peer", usable: false });
  }
}
