/** RFC 9051 section 5.5: which commands may be under way together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type EffectDetails, type Effects, effectsOf, mayOverlap } from "../../src/imap/client-effects.js";

const command = (text: string): Effects => {
  const uid = text.startsWith("UID ");
  const [name = "", ...rest] = text.replace(/^UID /, "").split(" ");
  const details: EffectDetails = {
    uid,
    readsFlags: rest.includes("FLAGS"),
    setsSeen: rest.includes("BODY[]"),
    readsSaved: rest.includes("$"),
    saves: rest.includes("SAVE"),
    bySequence: rest.includes("1:3"),
  };
  return effectsOf(name, details);
};

const cases: readonly (readonly [first: string, second: string, together: boolean])[] = [
  // The RFC's own examples.
  ["FETCH", "STORE", true],
  ["STORE", "SEARCH", false], // its SEARCH may look for the flags that are stored
  ["FETCH FLAGS", "STORE", false],
  ["NOOP", "STORE", false],
  ["STORE", "COPY", false],
  ["COPY", "FETCH", false],
  ["COPY", "COPY", false],
  ["UID SEARCH", "UID SEARCH", true],
  ["UID SEARCH", "UID SEARCH 1:3", false],
  ["UID SEARCH SAVE", "UID FETCH $", false],
  // EXPUNGE may come during a UID command: no sequence numbers meanwhile.
  ["UID FETCH", "FETCH", false],
  ["UID STORE", "SEARCH", false],
  ["FETCH", "UID FETCH", true],
  ["UID FETCH", "UID FETCH", true],
  ["FETCH", "FETCH", true],
  ["UID COPY", "UID COPY", true],
  ["UID MOVE", "UID FETCH", false],
  ["EXPUNGE", "UID FETCH", false],
  ["UID FETCH BODY[]", "UID FETCH FLAGS", false],
  ["UID FETCH BODY[]", "UID FETCH", true],
  // Mailboxes by their names.
  ["APPEND", "APPEND", true],
  ["APPEND", "STATUS", false],
  ["CREATE", "APPEND", false],
  ["CREATE", "LIST", false],
  ["STATUS", "STATUS", true],
  ["LIST", "UID FETCH FLAGS", true],
  ["SETACL", "GETACL", false],
  ["GETACL", "GETQUOTA", true],
  // What changes the state of the connection is alone.
  ...["LOGIN", "AUTHENTICATE", "STARTTLS", "COMPRESS", "SELECT", "EXAMINE", "UNAUTHENTICATE", "IDLE"].flatMap(
    (name) => [[name, "NOOP", false] as const, ["NOOP", name, false] as const],
  ),
  ...["CLOSE", "UNSELECT", "LOGOUT", "ENABLE", "X-UNKNOWN"].map((name) => ["NOOP", name, false] as const),
];

for (const [first, second, together] of cases) {
  test(`${first}, then ${second}: ${together ? "together" : "one after the other"}`, () => {
    assert.equal(mayOverlap(command(first), command(second)), together);
  });
}
