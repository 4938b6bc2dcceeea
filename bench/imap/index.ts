/** The workloads of IMAP. */
import type { Workload } from "../workload.js";
import { append, bodies, envelopes, uidFetch } from "./client.js";
import { literal, parse } from "./memory.js";
import { flags, stress } from "./server.js";

export const imap: readonly Workload[] = [envelopes, bodies, uidFetch, append, literal, parse, flags, stress];
