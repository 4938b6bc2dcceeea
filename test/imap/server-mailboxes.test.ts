/** LIST, LSUB, STATUS, CREATE, DELETE, RENAME: RFC 9051 section 6.3, RFC 5258, RFC 5819, RFC 6154. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { matches } from "../../src/imap/server-list.js";
import { message, stage } from "./server-support.js";

async function tree() {
  const on = stage([message("one")]);
  for (const name of ["Fruit", "Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable/Broccoli"])
    await on.store.createMailbox("alice", name);
  await on.store.createMailbox("alice", "Sent", { specialUse: ["\\Sent"] });
  await on.store.subscribeMailbox("alice", "Fruit/Banana", true);
  await on.store.subscribeMailbox("alice", "Fruit/Peach", true);
  return on;
}

function short(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\* (?:LIST|LSUB) (\(.*?\)) "\/" /, "$1 "));
}

test("LIST, plain and extended", async () => {
  await using on = await tree();
  const client = await on.client();
  const cases: [command: string, want: string[]][] = [
    ['LIST "" ""', ['(\\Noselect) ""']],
    ['LIST "Fruit/" ""', ["(\\Noselect) Fruit/"]],
    [
      'LIST "" %',
      [
        "(\\HasNoChildren) INBOX",
        "(\\HasChildren) Fruit",
        "(\\HasNoChildren \\Sent) Sent",
        "(\\HasNoChildren) Tofu",
        "(\\HasChildren) Vegetable",
      ],
    ],
    ['LIST "" inbox', ["(\\HasNoChildren) INBOX"]],
    ["LIST Fruit/ %", ["(\\HasNoChildren) Fruit/Apple", "(\\HasNoChildren) Fruit/Banana"]],
    ['LIST "" (Tofu Se*)', ["(\\HasNoChildren \\Sent) Sent", "(\\HasNoChildren) Tofu"]],
    [
      'LIST (SUBSCRIBED) "" *',
      [
        "(\\Subscribed \\HasNoChildren) INBOX",
        "(\\Subscribed \\HasNoChildren) Fruit/Banana",
        "(\\NonExistent \\Subscribed \\HasNoChildren) Fruit/Peach",
      ],
    ],
    ['LIST (SPECIAL-USE) "" *', ["(\\HasNoChildren \\Sent) Sent"]],
    ['LIST (SUBSCRIBED RECURSIVEMATCH) "" Fru%', ['(\\HasChildren) Fruit ("CHILDINFO" ("SUBSCRIBED"))']],
    ['LIST "" Fruit/B* RETURN (SUBSCRIBED CHILDREN)', ["(\\Subscribed \\HasNoChildren) Fruit/Banana"]],
    ['LSUB "" *', ["() INBOX", "() Fruit/Banana", "() Fruit/Peach"]],
    ['LSUB "" %', ["() INBOX", "(\\Noselect) Fruit"]],
  ];
  for (const [command, want] of cases) assert.deepEqual(short(await client.told(command)), want, command);
  assert.deepEqual(await client.told('LIST "" INBOX RETURN (STATUS (MESSAGES UNSEEN))'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    "* STATUS INBOX (MESSAGES 1 UNSEEN 1)",
  ]);
  assert.match(await client.refused('LIST (RECURSIVEMATCH) "" *'), /^BAD/);
  assert.match(await client.refused('LIST (MAGIC) "" *'), /^BAD/);
  assert.match(await client.refused('LIST "" * RETURN (STATUS (MAGIC))'), /^BAD/);
});

test("a mailbox that is deleted while others stand below it", async () => {
  await using on = await tree();
  const client = await on.client();
  await client.ok("DELETE Fruit");
  assert.deepEqual(short(await client.told('LIST "" Fru%')), ["(\\Noselect \\HasChildren) Fruit"]);
  assert.deepEqual(short(await client.told('LIST "" Fru% RETURN ()')), [
    "(\\NonExistent \\HasChildren) Fruit",
  ]);
  assert.deepEqual(short(await client.told('LIST "" Fruit*')), [
    "(\\HasNoChildren) Fruit/Apple",
    "(\\HasNoChildren) Fruit/Banana",
  ]);
});

test("patterns against a naive matcher", () => {
  const names = ["INBOX", "a", "a/b", "a/b/c", "ab", "ab/c", "ä/b"];
  for (const pattern of [
    "*",
    "%",
    "a*",
    "a%",
    "*b",
    "%/b",
    "a/%/c",
    "*/c",
    "a*c",
    "%b%",
    "ä%",
    "*%*",
    "",
    "a/b",
  ]) {
    const escaped = pattern.replace(/[*%]|[^\w/]/g, (char) =>
      char === "*" ? ".*" : char === "%" ? "[^/]*" : `\\u{${char.codePointAt(0)?.toString(16)}}`,
    );
    const naive = new RegExp(`^${escaped}$`, "u");
    for (const name of names) assert.equal(matches(pattern, name), naive.test(name), `${pattern} ${name}`);
  }
});

test("names in modified UTF-7, and in UTF-8 once that is enabled", async () => {
  await using on = stage();
  const client = await on.client();
  await client.ok("CREATE Entw&APw-rfe");
  assert.deepEqual(short(await client.told('LIST "" E*')), ["(\\HasNoChildren) Entw&APw-rfe"]);
  assert.match(await client.refused('CREATE "Entwürfe2"'), /^BAD/);
  assert.match(await client.refused("CREATE &AGE-"), /^BAD/);
  await client.ok("ENABLE UTF8=ACCEPT");
  assert.deepEqual(short(await client.told('LIST "" E*')), ['(\\HasNoChildren) "Entwürfe"']);
  await client.ok('CREATE "Ordner für Post"');
  await client.ok('SELECT "Entwürfe"');
});

test("CREATE with a use, with a delimiter at its end, twice", async () => {
  await using on = stage();
  const client = await on.client();
  assert.match((await client.ok("CREATE Bin (USE (\\Trash))")).at(-1) ?? "", /^OK \[MAILBOXID \(F\d+\)\]/);
  assert.deepEqual(short(await client.told('LIST (SPECIAL-USE) "" *')), ["(\\HasNoChildren \\Trash) Bin"]);
  assert.match(await client.refused("CREATE X (USE (\\Magic))"), /^NO \[USEATTR\]/);
  assert.match(await client.refused("CREATE Bin"), /^NO \[ALREADYEXISTS\]/);
  await client.ok("CREATE deep/er/");
  assert.deepEqual(short(await client.told('LIST "" deep*')), [
    "(\\HasChildren) deep",
    "(\\HasNoChildren) deep/er",
  ]);
  assert.match(await client.refused("DELETE INBOX"), /^NO \[CANNOT\]/);
  assert.match(await client.refused("DELETE nowhere"), /^NO \[NONEXISTENT\]/);
  await client.ok("RENAME deep high");
  assert.deepEqual(short(await client.told('LIST "" high*')), [
    "(\\HasChildren) high",
    "(\\HasNoChildren) high/er",
  ]);
});

test("RENAME of INBOX moves what is in it", async () => {
  await using on = stage([message("one"), message("two")]);
  const client = await on.selected();
  assert.deepEqual(await client.told("RENAME INBOX old"), ["* 1 EXPUNGE", "* 1 EXPUNGE"]);
  assert.deepEqual(await client.told("STATUS old (MESSAGES)"), ["* STATUS old (MESSAGES 2)"]);
});

test("STATUS: every item", async () => {
  await using on = stage([message("one"), { content: message("two"), flags: ["\\Seen", "\\Deleted"] }]);
  const client = await on.client();
  const [line = ""] = await client.told(
    "STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE DELETED-STORAGE HIGHESTMODSEQ APPENDLIMIT MAILBOXID)",
  );
  const size = message("two").length;
  assert.match(
    line.replace(/\d{10}/, "V"),
    new RegExp(
      `^\\* STATUS INBOX \\(MESSAGES 2 RECENT 2 UIDNEXT 3 UIDVALIDITY V UNSEEN 1 DELETED 1 SIZE ${2 * size} DELETED-STORAGE ${size} HIGHESTMODSEQ 2 APPENDLIMIT 52428800 MAILBOXID \\(F1\\)\\)$`,
    ),
  );
  assert.match(await client.refused("STATUS nowhere (MESSAGES)"), /^NO \[NONEXISTENT\]/);
});
