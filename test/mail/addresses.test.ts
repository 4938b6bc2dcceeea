/** Address lists: RFC 5322 section 3.4 and 4.4, RFC 6532. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HawserError, LimitError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { defaultLimits } from "../../src/core/limits.js";
import {
  type Address,
  formatAddressList,
  formatAddrSpec,
  type MailAddress,
  mailboxesOf,
  parseAddressList,
  parseMailAddress,
  scanAddressList,
} from "../../src/mail/addresses.js";

function box(localPart: string, domain: string, name = "", route = ""): MailAddress {
  return { kind: "mailbox", name, route, localPart, domain };
}

const valid: readonly { name: string; text: string; want: readonly Address[] }[] = [
  { name: "nothing", text: "", want: [] },
  { name: "a bare address", text: "a@b.example", want: [box("a", "b.example")] },
  {
    name: "RFC 5322 A.1.1",
    text: "John Doe <jdoe@machine.example>",
    want: [box("jdoe", "machine.example", "John Doe")],
  },
  {
    name: "RFC 5322 A.1.2",
    text: '"Joe Q. Public" <john.q.public@example.com>, <boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
    want: [
      box("john.q.public", "example.com", "Joe Q. Public"),
      box("boss", "nil.test"),
      box("sysservices", "example.net", 'Giant; "Big" Box'),
    ],
  },
  {
    name: "RFC 5322 A.1.3: groups",
    text: "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;, Undisclosed recipients:;",
    want: [
      {
        kind: "group",
        name: "A Group",
        members: [box("c", "a.test", "Ed Jones"), box("joe", "where.test"), box("jdoe", "one.test", "John")],
      },
      { kind: "group", name: "Undisclosed recipients", members: [] },
    ],
  },
  {
    name: "RFC 5322 A.5: comments and white space",
    text: "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
    want: [box("pete", "silly.test", "Pete")],
  },
  {
    name: "RFC 5322 A.6.1: a route and spaces around dots",
    text: "Joe Q. Public <john.q.public@example.com>, Mary Smith <@node.test,@b.test:mary@example.net>, jdoe@test . example",
    want: [
      box("john.q.public", "example.com", "Joe Q. Public"),
      box("mary", "example.net", "Mary Smith", "@node.test,@b.test"),
      box("jdoe", "test.example"),
    ],
  },
  {
    name: "a name in a comment",
    text: "a@b.example (Alice (A.))",
    want: [box("a", "b.example", "Alice (A.)")],
  },
  { name: "a quoted local part", text: '"a b@c"@d.example', want: [box("a b@c", "d.example")] },
  { name: "an empty quoted local part", text: '""@d.example', want: [box("", "d.example")] },
  { name: "a domain literal", text: "a@[IPv6:::1]", want: [box("a", "[IPv6:::1]")] },
  {
    name: "RFC 6532: UTF-8",
    text: "Żółć <żółć@grüße.example>",
    want: [box("żółć", "grüße.example", "Żółć")],
  },
  {
    name: "encoded words stay",
    text: "=?utf-8?Q?=C3=9C?= <u@x.example>",
    want: [box("u", "x.example", "=?utf-8?Q?=C3=9C?=")],
  },
  {
    name: "empty members",
    text: ", a@b.example,, c@d.example,",
    want: [box("a", "b.example"), box("c", "d.example")],
  },
  {
    name: "folded",
    text: "a@b.example,\r\n\tc@d.example",
    want: [box("a", "b.example"), box("c", "d.example")],
  },
  // CVE-2025-13033 of nodemailer: the address in the quotes must not become one of its own.
  {
    name: "an address inside quotes",
    text: '"x@evil.test y" <a@good.test>',
    want: [box("a", "good.test", "x@evil.test y")],
  },
  {
    name: "a quoted address as local part",
    text: '"x@evil.test"@good.test',
    want: [box("x@evil.test", "good.test")],
  },
];

for (const { name, text, want } of valid) {
  test(`addresses: ${name}`, () => {
    assert.deepEqual(parseAddressList(text), want);
    assert.deepEqual(parseAddressList(formatAddressList(want)), want);
  });
}

const malformed: readonly { text: string; found: readonly string[] }[] = [
  { text: "postmaster", found: ["postmaster@"] },
  { text: "Alice a@b.example", found: ["a@b.example"] },
  { text: "a@b@c.example", found: ["a@b", "@c.example"] },
  { text: "<a@b.example", found: ["a@b.example"] },
  { text: "a@b.example> , c@d.example", found: ["a@b.example", "c@d.example"] },
  { text: "<a@b.example> <c@d.example>", found: ["a@b.example", "c@d.example"] },
  { text: "<a b@c.example>", found: ["ab@c.example"] },
  { text: "a..b@c.example", found: ["a..b@c.example"] },
  { text: ".a@c.example", found: [".a@c.example"] },
  { text: "a@b..c", found: ["a@b..c"] },
  { text: "<>", found: ["@"] },
  { text: '"open@x.example', found: ["open@x.example@"] },
  { text: "a@[1.2.3", found: ["a@[1.2.3]"] },
  { text: "a@b.example (open", found: ["a@b.example"] },
  { text: "g: a@b.example", found: ["a@b.example"] },
  { text: "g: h: a@b.example;;", found: ["a@b.example"] },
  { text: "a@b.example;", found: ["a@b.example"] },
  { text: "<@a.example b@c.example>", found: ["b@c.example"] },
  { text: "a\u0000@b.example", found: ["a@b.example"] },
  { text: "]", found: [] },
];

for (const { text, found } of malformed) {
  test(`addresses: the best is made of ${JSON.stringify(text)}, and the strict reader refuses it`, () => {
    const scan = scanAddressList(text);
    const got = mailboxesOf(scan.addresses).map((each) => `${each.localPart}@${each.domain}`);
    assert.deepEqual(got, found);
    assert.notDeepEqual(scan.defects, []);
    assert.throws(() => parseAddressList(text), RemoteProtocolError);
  });
}

test("addresses: exactly one mailbox", () => {
  assert.deepEqual(parseMailAddress("A <a@b.example>"), box("a", "b.example", "A"));
  for (const text of ["", "a@b.example, c@d.example", "g:;"]) {
    assert.throws(() => parseMailAddress(text), RemoteProtocolError);
  }
});

test("addresses: control characters are never written", () => {
  for (const bad of ["\r\n", "\n", "\r", "\0", "\x7f", "\x1b"]) {
    for (const address of [
      box(`a${bad}`, "b"),
      box("a", `b${bad}`),
      box("a", "b", bad),
      box("a", "b", "", `@${bad}`),
    ])
      assert.throws(() => formatAddressList([address]), LocalProtocolError);
    assert.throws(() => formatAddressList([{ kind: "group", name: bad, members: [] }]), LocalProtocolError);
  }
  assert.throws(() => formatAddrSpec(box("a", "b> c")), LocalProtocolError);
});

const limits = { ...defaultLimits, maxDepth: 5, maxItems: 10 };

test("addresses: comments nest up to the limit and no deeper", () => {
  const nested = (depth: number): string => `${"(".repeat(depth)}x${")".repeat(depth)} a@b.example`;
  assert.deepEqual(scanAddressList(nested(5), limits).defects, []);
  assert.match(scanAddressList(nested(6), limits).defects.join(), /nested too deeply/);
  assert.throws(() => parseAddressList(nested(100_000)), RemoteProtocolError);
});

test("addresses: no more words than the limit, and no longer a text", () => {
  assert.match(scanAddressList("a@b,".repeat(100), limits).defects.join(), /too many/);
  assert.throws(() => parseAddressList("a".repeat(2_000_000)), LimitError);
});

test("addresses: time grows with the text", () => {
  const hostile = ["(", '"', "<", "\\", "@", "a b ", "a@b,", ":", ";", "(a\\", "<@", "x ", "()"];
  for (const piece of hostile) {
    const started = performance.now();
    scanAddressList(piece.repeat(200_000 / piece.length));
    assert.ok(performance.now() - started < 5000, `${piece} takes ${performance.now() - started} ms`);
  }
});

test("addresses: any text gives addresses, or a HawserError", () => {
  const text = fc.oneof(
    fc.uint16Array({ maxLength: 50 }).map((units) => String.fromCharCode(...units)),
    fc.string({ unit: fc.constantFrom(...'ab.@<>,;:"()[]\\ \r\n\t') }),
  );
  fc.assert(
    fc.property(text, (any) => {
      scanAddressList(any);
      try {
        parseAddressList(any);
      } catch (error) {
        assert.ok(error instanceof HawserError);
      }
    }),
  );
});

test("addresses: what is written is read again", () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab. "\\@<>,;:()[]ü=?_') });
  const mailbox = fc.record({
    localPart: text,
    name: text,
    domain: fc.constantFrom("a.example", "[::1]", "ü.example"),
  });
  fc.assert(
    fc.property(fc.array(mailbox, { maxLength: 4 }), (boxes) => {
      const addresses = boxes.map((each) => box(each.localPart, each.domain, each.name));
      assert.deepEqual(parseAddressList(formatAddressList(addresses)), addresses);
    }),
  );
});
