/** Proxies: the codecs, the way through, who is reached without, and what never leaves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { defaultLimits } from "../../src/core/limits.js";
import {
  AuthError,
  BrokenError,
  HawserError,
  LimitError,
  LocalProtocolError,
  RemoteProtocolError,
  Secret,
} from "../../src/index.js";
import { dial, nodeProvider, overTls, ProxyError } from "../../src/transport/index.js";
import { connectReplyDecoder, formatConnectRequest } from "../../src/transport/proxy/http-connect.js";
import { proxyFor } from "../../src/transport/proxy/index.js";
import { matchesNoProxy } from "../../src/transport/proxy/no-proxy.js";
import { parseProxy } from "../../src/transport/proxy/parse-proxy.js";
import {
  formatSocksLogin,
  formatSocksRequest,
  socksLoginDecoder,
  socksMethodDecoder,
  socksReplyDecoder,
} from "../../src/transport/proxy/socks.js";
import { makeCertificates } from "../certificates.js";
import { type Asked, connectProxy, serveConnect, socksProxy } from "./proxies.js";
import { bytes, deadlineMs, RawServer, readAll, readBytes } from "./support.js";

const certificates = await makeCertificates();

type Decode = (queue: ByteQueue) => number | undefined;

/** Whole, byte by byte, and cut at every offset: the value, and what is left. */
function everyCut(wire: Uint8Array, make: () => Decode): { value: number | undefined; left: number } {
  const results = Array.from({ length: wire.length + 1 }, (_, cut) =>
    fed([wire.subarray(0, cut), wire.subarray(cut)], make()),
  );
  results.push(
    fed(
      Array.from(wire, (byte) => Uint8Array.of(byte)),
      make(),
    ),
  );
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0] as { value: number | undefined; left: number };
}

function fed(pieces: readonly Uint8Array[], decode: Decode): { value: number | undefined; left: number } {
  const queue = new ByteQueue();
  let value: number | undefined;
  for (const piece of pieces) {
    queue.push(Uint8Array.from(piece));
    value ??= decode(queue);
  }
  return { value, left: queue.length };
}

const http = (): Decode => {
  const decode = connectReplyDecoder();
  return (queue) => decode(queue, defaultLimits);
};

const replies: readonly (readonly [
  name: string,
  wire: readonly number[] | string,
  make: () => Decode,
  want: number,
  left: number,
])[] = [
  ["RFC 1928 section 3", [5, 2, 9], () => socksMethodDecoder, 2, 1],
  ["RFC 1929 section 2", [1, 0], () => socksLoginDecoder, 0, 0],
  ["RFC 1928 section 6, IPv4", [5, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7], () => socksReplyDecoder, 0, 1],
  ["RFC 1928 section 6, a name", [5, 0, 0, 3, 2, 97, 98, 0, 1, 9, 9], () => socksReplyDecoder, 0, 2],
  ["RFC 1928 section 6, an empty name", [5, 0, 0, 3, 0, 0, 1], () => socksReplyDecoder, 0, 0],
  ["RFC 1928 section 6, IPv6", [5, 0, 0, 4, ...Array(18).fill(7), 8], () => socksReplyDecoder, 0, 1],
  ["a refusal with a wrong address", [5, 5, 0, 0, 0, 0], () => socksReplyDecoder, 5, 1],
  ["RFC 9112 section 4", "HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest", http, 200, 4],
  ["seen: no reason", "HTTP/1.0 200\r\n\r\n", http, 200, 0],
  ["a refusal with a body", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", http, 403, 2],
];
for (const [name, wire, make, want, left] of replies) {
  test(`a reply is decoded at every cut: ${name}`, () => {
    const whole = typeof wire === "string" ? bytes(wire) : Uint8Array.from(wire);
    // A cut may leave what follows the reply undelivered at the time; in the end it all stands in the queue.
    assert.deepEqual(everyCut(whole, make), { value: want, left });
  });
}

const broken: readonly (readonly [wire: readonly number[] | string, make: () => Decode])[] = [
  [[4, 0], () => socksMethodDecoder],
  [[5, 0], () => socksLoginDecoder],
  [[72], () => socksReplyDecoder],
  [[5, 0, 0, 9, 0], () => socksReplyDecoder],
  ["SSH-2.0-x\r\n", http],
  ["HTTP/1.1 999 x\r\n", http],
];
for (const [wire, make] of broken) {
  test(`no reply: ${JSON.stringify(wire)}`, () => {
    const queue = new ByteQueue();
    queue.push(typeof wire === "string" ? bytes(wire) : Uint8Array.from(wire));
    assert.throws(() => make()(queue), RemoteProtocolError);
  });
}

test("the answer of an HTTP proxy has limits: a line, and all of it", () => {
  for (const wire of [
    `HTTP/1.1 200 ${"x".repeat(9000)}`,
    `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(11_000)}`,
  ]) {
    const queue = new ByteQueue();
    queue.push(bytes(wire));
    assert.throws(() => http()(queue), LimitError);
  }
});

test("any bytes give a value or one of our errors, and none is lost", () => {
  const makes = [() => socksMethodDecoder, () => socksLoginDecoder, () => socksReplyDecoder, http];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...makes), (wire, make) => {
      const queue = new ByteQueue();
      queue.push(wire);
      try {
        make()(queue);
      } catch (error) {
        assert.ok(error instanceof HawserError, `${error}`);
      }
      assert.ok(queue.length <= wire.length);
    }),
  );
});

test("requests", () => {
  const request = (host: string) => Buffer.from(formatSocksRequest({ host, port: 258 })).toString("hex");
  assert.equal(request("1.2.3.4"), "05010001010203040102");
  assert.equal(request("::1"), `05010004${"0".repeat(30)}010102`);
  assert.equal(request("2001:db8::1:0:0"), "0501000420010db8000000000000000100000000" + "0102");
  assert.equal(request("::ffff:1.2.3.4"), "0501000400000000000000000000ffff01020304" + "0102");
  assert.equal(request("ab"), "05010003026162" + "0102");
  const credentials = { username: "u", password: new Secret("pw") };
  assert.equal(Buffer.from(formatSocksLogin(credentials)).toString("hex"), "010175027077");
  assert.equal(
    formatConnectRequest({ host: "::1", port: 25 }, credentials),
    "CONNECT [::1]:25 HTTP/1.1\r\nHost: [::1]:25\r\nProxy-Authorization: Basic dTpwdw==\r\n\r\n",
  );
});

test("what would end a line or a field early is refused, and not shown", () => {
  for (const bad of ["a\r\nb", "a\nb", "a\0b", "a\rb"]) {
    const password = new Secret(bad);
    for (const call of [
      () => formatSocksRequest({ host: bad, port: 1 }),
      () => formatConnectRequest({ host: bad, port: 1 }),
      () => formatSocksLogin({ username: "u", password }),
      () => formatSocksLogin({ username: bad, password: new Secret("p") }),
      () => formatConnectRequest({ host: "h", port: 1 }, { username: "u", password }),
      () => formatConnectRequest({ host: "h", port: 1 }, { username: bad, password: new Secret("p") }),
      () => parseProxy(`socks5://u:${encodeURIComponent(bad)}@h`),
      () => parseProxy(`socks5://${encodeURIComponent(bad)}:p@h`),
      () => parseProxy(`http://h${bad}`),
      () => parseProxy(`socks5://${encodeURIComponent(bad)}`),
    ])
      assert.throws(call, LocalProtocolError);
  }
  const long = new Secret("x".repeat(256));
  assert.throws(() => formatSocksLogin({ username: "u", password: long }), LocalProtocolError);
  assert.throws(
    () => formatConnectRequest({ host: "h", port: 1 }, { username: "a:b", password: long }),
    LocalProtocolError,
  );
});

test("proxies as URLs", () => {
  const short = (text: string | URL) => {
    const { kind, host, port, credentials } = parseProxy(text);
    return [kind, host, port, credentials?.username, credentials?.password.reveal()];
  };
  assert.deepEqual(short("socks5://h"), ["socks5", "h", 1080, undefined, undefined]);
  assert.deepEqual(short("socks5h://u%40x:p%3Aq@[::1]:9"), ["socks5", "::1", 9, "u@x", "p:q"]);
  assert.deepEqual(short("http://h"), ["http", "h", 80, undefined, undefined]);
  assert.deepEqual(short(new URL("https://u@h")), ["https", "h", 443, "u", ""]);
  assert.deepEqual(short("h:3128"), ["http", "h", 3128, undefined, undefined]);
  for (const bad of [
    "ftp://h",
    "socks4://h",
    "socks5://",
    "http://",
    "http://h:99999",
    "socks5://u:%zz@h",
    "constructor://h",
  ])
    assert.throws(() => parseProxy(bad), LocalProtocolError, bad);
  assert.doesNotMatch(inspect(parseProxy("http://u:tiger@h")), /tiger/);
});

const rules: readonly (readonly [list: string, host: string, port: number, want: boolean])[] = [
  ["*", "a.b", 1, true],
  ["", "a.b", 1, false],
  ["a.b", "A.B.", 1, true],
  ["a.b", "x.a.b", 1, false],
  ["a.b", "xa.b", 1, false],
  [".a.b", "x.a.b", 1, true],
  ["*.a.b", "x.a.b", 1, true],
  [".a.b", "a.b", 1, false],
  [".a.b", "xa.b", 1, false],
  ["c, a.b", "a.b", 1, true],
  ["c a.b", "a.b", 1, true],
  ["a.b:25", "a.b", 25, true],
  ["a.b:25", "a.b", 26, false],
  ["10.0.0.0/8", "10.1.2.3", 1, true],
  ["10.0.0.0/8", "11.1.2.3", 1, false],
  ["10.0.0.0/8", "10.1.2.3.example", 1, false],
  ["10.0.0.0/33", "10.0.0.0", 1, false],
  ["10.0.0.0/x", "10.0.0.0", 1, false],
  ["0.0.0.0/0", "9.9.9.9", 1, true],
  ["127.0.0.1", "127.0.0.1", 1, true],
  ["127.0.0.1:5", "127.0.0.1", 6, false],
  ["fd00::/8", "fd12::1", 1, true],
  ["::1", "0:0:0:0:0:0:0:1", 1, true],
  ["[::1]", "::1", 1, true],
  ["[::1]:25", "::1", 25, true],
  ["[::1]:25", "::1", 26, false],
  ["1.2.3.4/8/8", "1.2.3.4", 1, false],
];
for (const [list, host, port, want] of rules) {
  test(`NO_PROXY="${list}" and ${host}:${port}: ${want}`, () => {
    assert.equal(matchesNoProxy(list, host, port), want);
  });
}

test("the environment", () => {
  const at = { host: "a.b", port: 1 };
  assert.equal(proxyFor(undefined, at, {}), undefined);
  assert.equal(proxyFor(undefined, at, { ALL_PROXY: "" }), undefined);
  assert.equal(proxyFor(undefined, at, { ALL_PROXY: "socks5://p" })?.host, "p");
  assert.equal(proxyFor(undefined, at, { ALL_PROXY: "socks5://p", all_proxy: "http://q" })?.host, "q");
  assert.equal(proxyFor(undefined, at, { ALL_PROXY: "socks5://p", NO_PROXY: "a.b" }), undefined);
  assert.equal(proxyFor(undefined, at, { ALL_PROXY: "socks5://p", no_proxy: "a.b" }), undefined);
  assert.equal(proxyFor("http://q", at, { NO_PROXY: "*" })?.host, "q");
  assert.equal(proxyFor(false, at, { ALL_PROXY: "socks5://p" }), undefined);
  assert.throws(
    () => proxyFor(undefined, at, { ALL_PROXY: "x://u:tiger@p" }),
    (error: Error) => {
      assert.ok(error instanceof LocalProtocolError);
      assert.doesNotMatch(inspect(error), /tiger/);
      return true;
    },
  );
});

/** A server that greets at once, and echoes. */
async function greeter(tls: boolean): Promise<{ port: number; close(): Promise<void> }> {
  const listener = await nodeProvider.listen({}, async (transport) => {
    try {
      const end = tls ? await overTls(transport, { role: "server", options: certificates }) : transport;
      await end.write(bytes("hello\r\n"));
      for (let piece = await end.read(); piece !== undefined; piece = await end.read())
        await end.write(piece);
      await end.end();
    } catch {
      await transport.close();
    }
  });
  return { port: listener.address.port ?? 0, close: () => listener.close() };
}

for (const [kind, make] of [
  ["socks5", socksProxy],
  ["socks5h", socksProxy],
  ["http", connectProxy],
] as const) {
  for (const tls of ["none", "implicit"] as const) {
    test(`through ${kind}, tls ${tls}: the name goes to the proxy, and is the certificate's`, async () => {
      const server = await greeter(tls === "implicit");
      await using proxy = await make({ login: "us er:pä:ss", names: { localhost: "127.0.0.1" } });
      const login = `us%20er:${encodeURIComponent("pä:ss")}`;
      const transport = await dial({
        ...{ host: "localhost", port: server.port, tls, connectMs: deadlineMs },
        proxy: `${kind}://${login}@127.0.0.1:${proxy.port}`,
        tlsOptions: { ca: certificates.ca },
      });
      assert.deepEqual(proxy.asked, [{ host: "localhost", port: server.port, login: "us er:pä:ss" }]);
      assert.deepEqual(transport.remote, { host: "localhost", port: server.port });
      assert.equal(await readBytes(transport, 7), "hello\r\n");
      await transport.write(bytes("abc"));
      await transport.end();
      assert.equal(await readAll(transport), "abc");
      await transport.close();
      await server.close();
    });
  }

  test(`${kind}: refused credentials, and nobody behind it`, async () => {
    await using proxy = await make({ login: "u:tiger" });
    for (const login of ["", "u:lionheart@"]) {
      const dialling = dial({
        host: "127.0.0.1",
        port: 9,
        proxy: `${kind}://${login}127.0.0.1:${proxy.port}`,
      });
      await assert.rejects(dialling, (error: Error) => {
        assert.ok(error instanceof AuthError, `${error}`);
        assert.equal(error.usable, false);
        // The test's HTTP proxy repeats the whole request in its answer.
        assert.doesNotMatch(inspect(error), /lionheart|Basic|dTpsaW9u/);
        return true;
      });
    }
    const closed = await RawServer.listen(() => {});
    const { port } = closed;
    await closed[Symbol.asyncDispose]();
    const proxied = dial({ host: "127.0.0.1", port, proxy: `${kind}://u:tiger@127.0.0.1:${proxy.port}` });
    await assert.rejects(proxied, (error: Error) => {
      assert.ok(error instanceof ProxyError, `${error}`);
      assert.equal(error.reply, kind === "http" ? 502 : 5);
      assert.equal(error.permanent, false);
      return true;
    });
  });

  test(`${kind}: a proxy that is none, that hangs, that goes`, async () => {
    for (const [answer, wanted] of [
      ["220 hello\r\n\r\n", RemoteProtocolError],
      ["end", BrokenError],
    ] as const) {
      await using server = await RawServer.listen((socket) => {
        if (answer === "end") socket.on("data", () => socket.end());
        else socket.write(answer);
      });
      await assert.rejects(dial({ host: "h", port: 9, proxy: `${kind}://127.0.0.1:${server.port}` }), wanted);
    }
    await using silent = await RawServer.listen(() => {});
    const hanging = dial({ host: "h", port: 9, proxy: `${kind}://127.0.0.1:${silent.port}`, connectMs: 50 });
    await assert.rejects(hanging, { code: "HAWSER_DEADLINE", what: "connecting to h:9" });
    const stop = new AbortController();
    const aborted = dial({
      host: "h",
      port: 9,
      proxy: `${kind}://127.0.0.1:${silent.port}`,
      signal: stop.signal,
    });
    stop.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
  });
}

test("a proxy that echoes what it gets learns nothing that an error repeats", async () => {
  for (const kind of ["socks5", "http"]) {
    await using echo = await RawServer.listen((socket) => socket.pipe(socket));
    const dialling = dial({ host: "h", port: 9, proxy: `${kind}://u:lionheart@127.0.0.1:${echo.port}` });
    await assert.rejects(dialling, (error: Error) => {
      assert.ok(error instanceof HawserError, `${error}`);
      assert.doesNotMatch(inspect(error), /lionheart|Basic/);
      return true;
    });
  }
});

test("through an https proxy, and TLS within its TLS", async () => {
  const asked: Asked[] = [];
  const listener = await nodeProvider.listen({}, async (transport) => {
    try {
      const secure = await overTls(transport, { role: "server", options: certificates });
      await serveConnect(secure.toNode() as never, {}, asked);
    } catch {
      await transport.close();
    }
  });
  const server = await greeter(true);
  const options = {
    host: "127.0.0.1",
    port: server.port,
    tls: "implicit",
    tlsOptions: { ca: certificates.ca },
  } as const;
  const proxy = `https://localhost:${listener.address.port}`;
  const transport = await dial({ ...options, proxy, proxyTlsOptions: { ca: certificates.ca } });
  assert.equal(await readBytes(transport, 7), "hello\r\n");
  await transport.close();
  // The proxy's own certificate is checked as well.
  await assert.rejects(dial({ ...options, proxy }), BrokenError);
  await listener.close();
  await server.close();
});
