/** How much a peer may send before it is cut off. */

/** The limits that a decoder keeps to. All are counts of bytes but where the name says otherwise. */
export interface Limits {
  /** A line, its end not counted. */
  readonly maxLineBytes: number;
  /** A reply or response of any number of lines, and one that is held in memory as a whole. */
  readonly maxReplyBytes: number;
  /** A body: a message, an article, a file. It is a stream, so the usual limit is none. */
  readonly maxBodyBytes: number;
  /** How deep lists may stand in lists. */
  readonly maxDepth: number;
  /** How many values a reply may have: words, list members, lines. */
  readonly maxItems: number;
}

/** Lines of 64 KiB, replies of 1 MiB, bodies of any size, 32 levels, a million items. */
export const defaultLimits: Limits = {
  maxLineBytes: 65_536,
  maxReplyBytes: 1_048_576,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxDepth: 32,
  maxItems: 1_000_000,
};
