/** The entry: importing it loads no message library. Trace headers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parseMailAddress } from "../../src/mail/addresses.js";
import { scanHeaders } from "../../src/mail/headers.js";
import { formatTraceHeaders } from "../../src/mail/trace-headers.js";

test("importing the entry loads neither nodemailer nor postal-mime", () => {
  const entry = new URL("../../src/mail/index.js", import.meta.url).href;
  const code = `
    const own = new Set(process.moduleLoadList);
    const network = () =>
      process.moduleLoadList.some((name) => !own.has(name) && / (http|https|dns|tls)$/.test(name));
    const { compose } = await import(${JSON.stringify(entry)});
    const before = network();
    await compose({ from: "a@x.example", text: "x" });
    console.log(JSON.stringify([before, network()]));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { timeout: 30_000 });
  // nodemailer needs node:http. (Some versions of Node load node:net for node:crypto.)
  assert.deepEqual(JSON.parse(output.toString()), [false, true]);
});

test("trace headers: written on request, and not to be broken out of", () => {
  const receivedAt = new Date("2026-11-27T20:18:13Z");
  const bytes = formatTraceHeaders(
    {
      mailFrom: "a@x.example",
      rcptTo: ["b@x.example"],
      receivedAt,
      helo: "c\r\nX: y",
      remoteAddress: "::1",
      protocol: "ESMTP",
    },
    { by: "mx.x.example", recipient: "b@x.example", id: "1" },
  );
  const headers = scanHeaders(bytes);
  assert.deepEqual(
    headers.fields.map((field) => field.name),
    ["Return-Path", "Received"],
  );
  assert.equal(headers.get("return-path"), "<a@x.example>");
  assert.equal(
    headers.get("received"),
    "from c??X: y ([::1]) by mx.x.example with ESMTP id 1 for <b@x.example>; Fri, 27 Nov 2026 20:18:13 +0000",
  );
  assert.equal(parseMailAddress(headers.get("return-path") ?? "").localPart, "a");
});
