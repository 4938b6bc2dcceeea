/** Debian's Postfix: smtpd with STARTTLS, implicit TLS and AUTH on loopback, and its test programs. */
import { spawnSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { greeted } from "../greeting.js";
import { freePorts, type Scratch } from "../scratch.js";
import type { Dovecot } from "./dovecot.js";

/** Where it listens. */
export interface Postfix {
  /** STARTTLS and AUTH; mail for peers.test goes to Dovecot by LMTP, and for discard.test nowhere. */
  readonly submissionPort: number;
  readonly submissionsPort: number;
}

/** Starts it, with Dovecot to ask for passwords and to deliver to. */
export async function startPostfix(scratch: Scratch, dovecot: Dovecot): Promise<Postfix> {
  const [submissionPort = 0, submissionsPort = 0] = await freePorts(2);
  for (const name of ["postfix", "postfix/etc", "postfix/queue", "postfix/data"]) scratch.mkdir(name);
  chownSync(scratch.path("postfix/data"), idOf("postfix"), idOf("postfix"));
  scratch.write("postfix/etc/main.cf", mainCf(scratch, dovecot));
  scratch.write("postfix/etc/master.cf", masterCf(submissionPort, submissionsPort));
  const config = scratch.path("postfix/etc");
  const started = spawnSync("/usr/sbin/postfix", ["-c", config, "start"], { encoding: "utf8" });
  if (started.status !== 0) throw new Error(`postfix did not start: ${started.stderr}`);
  scratch.onEnd(() => spawnSync("/usr/sbin/postfix", ["-c", config, "stop"]));
  await greeted(submissionPort, "220");
  return { submissionPort, submissionsPort };
}

function idOf(user: string): number {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${user}:`));
  return Number(line?.split(":")[2]);
}

function mainCf(scratch: Scratch, { lmtpPort, saslPort }: Dovecot): string {
  const d = scratch.path("postfix");
  return `
compatibility_level = 3.6
queue_directory = ${d}/queue
data_directory = ${d}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${d}/maillog
maillog_file_prefixes = /tmp
myhostname = postfix.peers.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks =
alias_maps =
local_transport = error:no local mail
default_transport = discard:
relay_transport = discard:
virtual_mailbox_domains = peers.test
virtual_mailbox_maps = inline:{alice@peers.test=ok, bob@peers.test=ok}
virtual_transport = lmtp:inet:127.0.0.1:${lmtpPort}
relay_domains = discard.test
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{{later@peers.test=450 4.2.0 try again later}}
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${scratch.path("chain.pem")}
smtpd_tls_key_file = ${scratch.path("key.pem")}
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${saslPort}
smtpd_sasl_security_options =
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_authorized_xclient_hosts = 127.0.0.1
message_size_limit = 60000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
`;
}

function masterCf(submissionPort: number, submissionsPort: number): string {
  return `
127.0.0.1:${submissionPort} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
127.0.0.1:${submissionsPort} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
