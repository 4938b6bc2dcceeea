/** The workloads of level 1, in the order in which they run. */
import type { Workload } from "../workload.js";
import { bulk } from "./bulk.js";
import { echo50, echo500 } from "./echo.js";
import { file } from "./file.js";
import { idle } from "./idle.js";
import { pingPong } from "./ping-pong.js";
import { udp, udpFlood } from "./udp.js";

export const sockets: readonly Workload[] = [echo50, echo500, pingPong, bulk, file, udp, udpFlood, idle];
