/** All probes whose results are to be the same. */
import type { Probe } from "../language.js";
import { addressProbes } from "./addresses.js";
import { fileProbes } from "./files.js";
import { lifecycleProbes } from "./lifecycle.js";
import { messageProbes } from "./messages.js";
import { nameProbes } from "./names.js";
import { transferProbes } from "./transfer.js";

export { differences } from "./differences.js";

export const probes: readonly Probe[] = [
  ...lifecycleProbes,
  ...transferProbes,
  ...addressProbes,
  ...nameProbes,
  ...messageProbes,
  ...fileProbes,
];
