/** The workloads of IMAP, in the order in which they run. */
import type { Workload } from "../workload.js";
import { parse } from "./parse.js";

export const imap: readonly Workload[] = [parse];
