/** Dictionaries in memory: the reference handler, the double for tests, and what a server runs that has no other. */
import type { DictHandler } from "./types.js";

/** A dictionary: its description, and the lines of each word's definition. */
export interface MemoryDictionary {
  readonly title: string;
  readonly entries: Readonly<Record<string, readonly string[]>>;
}

/**
 * A handler over dictionaries that are held in memory. Words are compared without regard to case.
 *
 * @example
 * const handler = memoryHandler({ sea: { title: "Words of the sea", entries: { hawser: ["A thick rope."] } } });
 * await using server = await DictServer.listen({ port: 0, handler });
 */
export function memoryHandler(dictionaries: Readonly<Record<string, MemoryDictionary>>): DictHandler {
  const folded = new Map(
    Object.entries(dictionaries).map(([name, { entries }]) => [
      name,
      new Map(Object.entries(entries).map(([word, lines]) => [word.toLowerCase(), { word, lines }])),
    ]),
  );
  return {
    databases: Object.entries(dictionaries).map(([name, { title }]) => ({ name, title })),
    strategies: [
      { name: "prefix", title: "The word's beginning" },
      { name: "exact", title: "The whole word" },
    ],
    async define(database, word) {
      const entry = folded.get(database)?.get(word.toLowerCase());
      return entry === undefined ? [] : [entry.lines];
    },
    async match(database, strategy, wanted) {
      const like = wanted.toLowerCase();
      return [...(folded.get(database) ?? [])]
        .filter(([key]) => (strategy === "exact" ? key === like : key.startsWith(like)))
        .map(([, { word }]) => word);
    },
  };
}
