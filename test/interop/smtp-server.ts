/** SMTP and LMTP: hawser's server with curl, swaks, Python's smtplib and nodemailer. */
import assert from "node:assert/strict";
import { createTransport } from "nodemailer";
import { MemoryMailStore } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { SmtpServer, type SmtpServerOptions } from "../../src/smtp/index.js";
import type { Pairing } from "./pairing.js";
import { program, python } from "./program.js";
import type { Scratch } from "./scratch.js";
import { awkwardMessage, freshId } from "./smtp.js";

const to = "alice@example.test";
const password = "pass word";

/** What a client is told: where, how, and what to send. */
interface Order {
  readonly port: number;
  readonly ca: string;
  readonly tls: "none" | "starttls" | "implicit";
  readonly user?: string;
  readonly mechanism?: string;
  readonly message: string;
}

const mailer: Record<string, (order: Order, scratch: Scratch) => Promise<unknown>> = {
  curl: async ({ port, ca, tls, user, mechanism, message }, scratch) => {
    const file = scratch.write("message.eml", message);
    const login =
      user === undefined ? [] : ["--user", `${user}:${password}`, "--login-options", `AUTH=${mechanism}`];
    const url = `${tls === "implicit" ? "smtps" : "smtp"}://localhost:${port}/client.test`;
    const security = tls === "starttls" ? ["--ssl-reqd"] : [];
    const mail = ["--mail-from", "x@y.test", "--mail-rcpt", to, "--upload-file", file];
    return await program("curl", ["-sS", "--cacert", ca, url, ...security, ...login, ...mail]);
  },
  swaks: async ({ port, ca, tls, user, mechanism, message }, scratch) => {
    // It ends the last line itself.
    const file = scratch.write("message.eml", message.replace(/\r\n$/, ""));
    const login =
      user === undefined ? [] : ["--auth", `${mechanism}`, "--auth-user", user, "--auth-password", password];
    const security = { none: [], starttls: ["--tls"], implicit: ["--tlsc"] }[tls];
    const verify = tls === "none" ? [] : ["--tls-verify", "--tls-ca-path", ca];
    return await program("swaks", [
      ...["--server", "localhost", "--port", `${port}`, "--from", "x@y.test", "--to", to, "--pipeline"],
      ...["--data", `@${file}`, ...security, ...verify, ...login],
    ]);
  },
  smtplib: async (order) => {
    const answer = (await python("smtp_client.py", { ...order, from: "x@y.test", to: [to], password })) as {
      readonly vrfy: number;
      readonly quit: number;
    };
    assert.deepEqual([answer.vrfy, answer.quit], [252, 221]);
  },
  nodemailer: async ({ port, tls, user, mechanism, message }, scratch) => {
    const transport = createTransport({
      host: "localhost",
      port,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      ignoreTLS: tls === "none",
      tls: { ca: scratch.certificates.ca },
      ...(user !== undefined && {
        auth: { user, pass: password },
        ...(mechanism && { authMethod: mechanism }),
      }),
    });
    await transport.sendMail({ envelope: { from: "x@y.test", to: [to] }, raw: message });
    transport.close();
  },
};

/** The pairings of hawser's server. */
export function smtpServerPairings(scratch: Scratch): Pairing[] {
  const { certificates } = scratch;
  const accounts = Accounts.of({ alice: password }, { keepPlain: true });
  const deliverTo = async (name: string, order: Omit<Order, "port" | "message" | "ca">): Promise<string> => {
    const store = MemoryMailStore.of({ [to]: [] });
    const tls = { ...certificates, mode: order.tls === "implicit" ? "implicit" : "starttls" } as const;
    const options: SmtpServerOptions = {
      host: "localhost",
      store,
      accounts,
      tls,
      requireAuth: order.user !== undefined,
    };
    await using server = await SmtpServer.listen(options);
    const message = awkwardMessage(freshId());
    const full = { ...order, port: server.port, ca: scratch.path("ca.pem"), message };
    await mailer[name]?.(full, scratch);
    const received = await store.inbox(to).next({ timeoutMs: 10_000 });
    assert.equal(Buffer.from(received.bytes).toString(), message, "byte for byte");
    return order.tls;
  };
  const needs: Record<string, string[]> = { curl: ["curl"], swaks: ["swaks"], smtplib: ["python3"] };
  return Object.keys(mailer).flatMap((name) => {
    const pairing = (what: string, order: Omit<Order, "port" | "message" | "ca">): Pairing => ({
      name: `${name} → hawser's SMTP server: ${what}`,
      needs: needs[name] ?? [],
      run: () => deliverTo(name, order),
    });
    const mechanisms = {
      curl: ["PLAIN", "LOGIN", "CRAM-MD5"],
      swaks: ["PLAIN", "LOGIN"],
      nodemailer: ["PLAIN", "LOGIN"],
    }[name];
    return [
      pairing("a message in the clear", { tls: "none" }),
      pairing("STARTTLS", { tls: "starttls" }),
      pairing("implicit TLS", { tls: "implicit" }),
      ...(mechanisms ?? ["its own choice"])
        .filter((mechanism) => mechanism !== "CRAM-MD5")
        .map((mechanism) => pairing(`AUTH ${mechanism}`, { tls: "starttls", user: "alice", mechanism })),
    ];
  });
}
