/** The workload of POP3. */
import type { Workload } from "../workload.js";
import { retr } from "./retr.js";

export const pop3: readonly Workload[] = [retr];
