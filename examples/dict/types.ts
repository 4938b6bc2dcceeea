/** The data of DICT: what both sides, and whoever writes a handler, speak of. */

/** A reply (RFC 2229 section 2.4). */
export interface DictReply {
  /** 100 to 599. */
  readonly code: number;
  /** What follows the code. */
  readonly text: string;
  /** The lines behind a reply of 110 to 114, 151 or 152 (section 2.4.3), without the dots of the wire. */
  readonly lines?: readonly string[] | undefined;
}

/** What one database says of a word. */
export interface DictDefinition {
  readonly word: string;
  readonly database: string;
  /** The database's description, for people. */
  readonly title: string;
  readonly lines: readonly string[];
}

/** A word that was found, and where. */
export interface DictMatch {
  readonly database: string;
  readonly word: string;
}

/** A database or a strategy: its name for commands, and its description for people. */
export interface DictName {
  readonly name: string;
  readonly title: string;
}

/** Whoever knows the words. An optional method that is missing is answered with 502, and HELP does not name it. */
export interface DictHandler {
  /** In the order in which `!` and `*` go through them (section 3.4). */
  readonly databases: readonly DictName[];
  /** What one database says of a word. */
  define(database: string, word: string): Promise<readonly (readonly string[])[]>;
  /** The strategies of MATCH; the first is meant by `.`. */
  readonly strategies?: readonly DictName[] | undefined;
  /** The words of one database that are like a word. */
  match?(database: string, strategy: string, word: string): Promise<readonly string[]>;
}
