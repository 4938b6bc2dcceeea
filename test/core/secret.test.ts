import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { AuthError, HawserError } from "../../src/core/errors.js";
import { reveal, Secret } from "../../src/core/secret.js";
import { commandLine } from "../../src/wire/command-line.js";

const secret = new Secret("tiger");
const shown: Readonly<Record<string, string>> = {
  inspect: inspect(secret),
  "inspect, nested": inspect({ a: [secret] }, { depth: 9, showHidden: true }),
  "inspect, without custom": inspect(secret, { customInspect: false, showHidden: true }),
  json: JSON.stringify({ secret }),
  template: `${secret}`,
  String: String(secret),
  sum: `${"a"}${secret}`,
  ...Object.fromEntries(["%s", "%o", "%O", "%j", "%d", "%i"].map((how) => [how, format(how, secret)])),
  "format, no directive": format(secret),
  keys: JSON.stringify([Object.keys(secret), Object.entries(secret), Reflect.ownKeys(secret)]),
  clone: inspect(structuredClone({ secret }), { customInspect: false }),
  spread: inspect({ ...secret }),
  error: inspect(new HawserError("X", `no ${secret}`, { cause: { secret } }), { depth: 9 }),
  reply: inspect(
    new AuthError("no", { reply: secret, command: commandLine("PASS", secret).shown, permanent: true }),
  ),
};
for (const [how, text] of Object.entries(shown)) {
  test(`a secret does not show: ${how}`, () => assert.doesNotMatch(text, /tiger/));
}

test("where text is wanted it is [secret]", () => {
  for (const how of ["inspect", "template", "String", "%s"]) assert.equal(shown[how], "[secret]");
  assert.equal(shown["json"], '{"secret":"[secret]"}');
});

test("it is revealed to whoever asks for it by name", () => {
  assert.equal(secret.reveal(), "tiger");
  assert.deepEqual([reveal(secret), reveal("plain")], ["tiger", "plain"]);
});
