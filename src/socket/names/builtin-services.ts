/** The well-known services and protocols, for machines without `/etc/services`. */

/** One line a service: its name, its port, its protocols, and other names that it goes by. */
const lines = `
echo 7 tcp,udp
discard 9 tcp,udp
daytime 13 tcp,udp
chargen 19 tcp,udp
ftp-data 20 tcp
ftp 21 tcp
ssh 22 tcp
telnet 23 tcp
smtp 25 tcp mail
time 37 tcp,udp
whois 43 tcp nicname
domain 53 tcp,udp
bootps 67 udp
bootpc 68 udp
tftp 69 udp
gopher 70 tcp
finger 79 tcp
http 80 tcp www
kerberos 88 tcp,udp
pop3 110 tcp pop-3
sunrpc 111 tcp,udp portmapper
auth 113 tcp ident
nntp 119 tcp
ntp 123 udp
netbios-ns 137 udp
netbios-dgm 138 udp
netbios-ssn 139 tcp
imap 143 tcp imap2
snmp 161 tcp,udp
snmp-trap 162 tcp,udp snmptrap
bgp 179 tcp
ldap 389 tcp,udp
https 443 tcp,udp
microsoft-ds 445 tcp
submissions 465 tcp smtps ssmtp urd
isakmp 500 udp
login 513 tcp
shell 514 tcp cmd
syslog 514 udp
printer 515 tcp
rtsp 554 tcp,udp
nntps 563 tcp snntp
submission 587 tcp
ipp 631 tcp
ldaps 636 tcp,udp
domain-s 853 tcp,udp
rsync 873 tcp
ftps-data 989 tcp
ftps 990 tcp
telnets 992 tcp
imaps 993 tcp
pop3s 995 tcp
socks 1080 tcp
openvpn 1194 tcp,udp
ms-sql-s 1433 tcp
radius 1812 tcp,udp
radius-acct 1813 tcp,udp
nfs 2049 tcp,udp
mysql 3306 tcp
sieve 4190 tcp
sip 5060 tcp,udp
sip-tls 5061 tcp,udp
xmpp-client 5222 tcp
xmpp-server 5269 tcp
mdns 5353 udp
postgresql 5432 tcp postgres
amqps 5671 tcp
amqp 5672 tcp
x11 6000 tcp
redis 6379 tcp
syslog-tls 6514 tcp
ircd 6667 tcp
ircs-u 6697 tcp
http-alt 8080 tcp
git 9418 tcp
`;

const protocols: ReadonlyMap<string, number> = new Map([
  ["ip", 0],
  ["icmp", 1],
  ["igmp", 2],
  ["tcp", 6],
  ["udp", 17],
  ["ipv6", 41],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["ipv6-icmp", 58],
  ["sctp", 132],
  ["udplite", 136],
]);

interface Service {
  readonly names: readonly string[];
  readonly port: number;
  readonly protocols: readonly string[];
}

let parsed: readonly Service[] | undefined;

function services(): readonly Service[] {
  parsed ??= lines.trim().split("\n").map(parseService);
  return parsed;
}

function parseService(line: string): Service {
  const [name = "", port, protocolList = "", ...aliases] = line.split(" ");
  return { names: [name, ...aliases], port: Number(port), protocols: protocolList.split(",") };
}

function speaks(service: Service, protocol: string | undefined): boolean {
  return protocol === undefined || service.protocols.includes(protocol);
}

/** The port of a well-known service; without a protocol, of the first that has the name. */
export function builtinService(name: string, protocol?: string): number | undefined {
  return services().find((service) => service.names.includes(name) && speaks(service, protocol))?.port;
}

/** The name of the well-known service at a port. */
export function builtinServiceName(port: number, protocol?: string): string | undefined {
  return services().find((service) => service.port === port && speaks(service, protocol))?.names[0];
}

/** The number of a well-known protocol. */
export function builtinProtocol(name: string): number | undefined {
  return protocols.get(name.toLowerCase());
}
