/** Adopts descriptor 3, which its parent opened with Node, and echoes what comes until the end of file. */
import { Socket } from "../../../src/socket/index.js";

using socket = Socket.fromFd(3);
for await (const chunk of socket.readable) await socket.sendall(chunk);
