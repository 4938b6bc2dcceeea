/** The workloads of SMTP, in the order in which they run. */
import type { Workload } from "../workload.js";
import { idle, stream } from "./memory.js";
import { send, sendFar } from "./send.js";
import { dots, receive, receiveEach } from "./server.js";

export const smtp: readonly Workload[] = [send, sendFar, receive, receiveEach, dots, stream, idle];
