/** Debian's Dovecot: IMAP, POP3 and LMTP on loopback, with users of its own. */
import { chownSync } from "node:fs";
import { greeted } from "../greeting.js";
import { freePorts, type Scratch } from "../scratch.js";

/** nobody. */
const uid = 65534;

/** Where it listens. */
export interface Dovecot {
  readonly imapPort: number;
  readonly imapsPort: number;
  readonly pop3Port: number;
  readonly pop3sPort: number;
  readonly lmtpPort: number;
  /** For Postfix: who may log in. */
  readonly saslPort: number;
  readonly user: string;
  readonly password: string;
}

const password = "dovecot-secret";
const mechanisms = "plain login cram-md5 apop scram-sha-1 scram-sha-256";

/** Starts it and waits until it greets. */
export async function startDovecot(
  scratch: Scratch,
  users: readonly string[] = ["alice", "bob"],
): Promise<Dovecot> {
  const [imapPort = 0, imapsPort = 0, pop3Port = 0, pop3sPort = 0, lmtpPort = 0, saslPort = 0] =
    await freePorts(6);
  const ports = { imapPort, imapsPort, pop3Port, pop3sPort, lmtpPort, saslPort };
  for (const name of ["dovecot", "dovecot/mail", "dovecot/home", "dovecot/run", "dovecot/state"])
    chownSync(scratch.mkdir(name), name.endsWith("mail") || name.endsWith("home") ? uid : 0, 0);
  scratch.write("dovecot/users", users.map((user) => `${user}:{PLAIN}${password}\n`).join(""));
  const config = scratch.write("dovecot/dovecot.conf", configuration(scratch, ports));
  scratch.start("/usr/sbin/dovecot", ["-F", "-c", config]);
  await greeted(imapPort, "* OK");
  await greeted(pop3Port, "+OK");
  await greeted(lmtpPort, "220");
  return { ...ports, user: users[0] ?? "", password };
}

function configuration(scratch: Scratch, ports: Omit<Dovecot, "user" | "password">): string {
  const d = scratch.path("dovecot");
  return `
base_dir = ${d}/run
state_dir = ${d}/state
log_path = ${d}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <${scratch.path("chain.pem")}
ssl_key = <${scratch.path("key.pem")}
disable_plaintext_auth = no
auth_mechanisms = ${mechanisms}
auth_username_format = %Ln
auth_failure_delay = 0
mail_location = maildir:${d}/mail/%n
mail_home = ${d}/home/%n
mail_uid = ${uid}
mail_gid = ${uid}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100
mail_plugins = zlib quota acl notify
mail_attribute_dict = file:%h/dovecot-attributes
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
}
protocol imap {
  mail_plugins = $mail_plugins imap_zlib imap_quota imap_acl
  imap_metadata = yes
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=1G
  acl = vfile
}
passdb {
  driver = passwd-file
  args = username_format=%n ${d}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${uid} home=${d}/home/%n
}
service imap-login {
  inet_listener imap {
    port = ${ports.imapPort}
  }
  inet_listener imaps {
    port = ${ports.imapsPort}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${ports.pop3Port}
  }
  inet_listener pop3s {
    port = ${ports.pop3sPort}
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${ports.lmtpPort}
  }
}
service auth {
  inet_listener sasl {
    address = 127.0.0.1
    port = ${ports.saslPort}
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}
