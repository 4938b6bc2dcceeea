/**
 * hawser/testing: what tests of protocols need. Connections in memory, codecs cut at every offset, and transcripts that
 * play one side of a conversation.
 *
 * @example
 * ```ts
 * import { memoryPair, playServer } from "hawser/testing";
 *
 * const [near, far] = memoryPair({ fragmentBytes: 1 });
 * const server = playServer("S: 220 ready\nC: QUIT\nS: 221 bye\n", far);
 * await useClient(near); // your code under test
 * await server; // rejects with a clear difference
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export { ByteQueue } from "../core/byte-queue.js";
export type { Decoder } from "../core/decoder.js";
export { defaultLimits, type Limits } from "../core/limits.js";
export { type Transcript, transcript } from "../core/trace.js";
export { type MemoryPairOptions, memoryPair } from "../transport/memory.js";
export {
  type CheckTransportOptions,
  checkTransport,
  type TransportCheck,
  type TransportPair,
} from "./check-transport.js";
export { collect, readToEnd } from "./collect.js";
export { everyCut, wholeBody } from "./every-cut.js";
export {
  formatTranscript,
  parseTranscript,
  type TranscriptLine,
  transcriptBytes,
} from "./parse-transcript.js";
export { type PlayOptions, playClient, playServer } from "./play-transcript.js";
