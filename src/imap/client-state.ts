/** What a client knows of the server and of the selected mailbox, from what the server says. */
import type { FormatOptions } from "./codec-command.js";
import type { ImapResponse, ResponseCode, StatusResponse } from "./types-response.js";

/** Where a connection stands: RFC 9051 section 3. */
export type ImapState = "not-authenticated" | "authenticated" | "selected" | "logout";

/** The selected mailbox, as the server's responses have it. */
export class MailboxState {
  readonly name: string;
  exists = 0;
  recent = 0;
  uidValidity = 0;
  uidNext: number | undefined;
  unseen: number | undefined;
  highestModSeq: bigint | undefined;
  flags: readonly string[] = [];
  permanentFlags: readonly string[] = [];
  readOnly = false;
  mailboxId: string | undefined;
  uidNotSticky = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Takes in what the server says of the mailbox. */
  observe(response: ImapResponse): void {
    switch (response.type) {
      case "exists":
        this.exists = response.count;
        break;
      case "recent":
        this.recent = response.count;
        break;
      case "expunge":
        this.exists = Math.max(0, this.exists - 1);
        break;
      case "vanished":
        if (!response.earlier) this.exists = Math.max(0, this.exists - response.uids.size);
        break;
      case "flags":
        this.flags = response.flags;
        break;
      case "status":
        if (response.code !== undefined) this.#code(response.code);
        break;
      default:
        break;
    }
  }

  #code(code: ResponseCode): void {
    if (code.name === "UIDVALIDITY") this.uidValidity = code.value;
    else if (code.name === "UIDNEXT") this.uidNext = code.value;
    else if (code.name === "UNSEEN") this.unseen = code.value;
    else if (code.name === "HIGHESTMODSEQ") this.highestModSeq = code.modSeq;
    else if (code.name === "PERMANENTFLAGS") this.permanentFlags = code.flags;
    else if (code.name === "MAILBOXID") this.mailboxId = code.id;
    else if (code.name === "READ-ONLY") this.readOnly = true;
    else if (code.name === "READ-WRITE") this.readOnly = false;
    else if (code.name === "UIDNOTSTICKY") this.uidNotSticky = true;
  }
}

/** Everything that is known of a connection. */
export class ClientState {
  state: ImapState = "not-authenticated";
  mailbox: MailboxState | undefined;
  /** In upper case. Undefined: not told yet, or forgotten. */
  #capabilities: ReadonlySet<string> | undefined;
  #enabled: ReadonlySet<string> = new Set();

  get capabilities(): ReadonlySet<string> {
    return this.#capabilities ?? nothing;
  }

  get knowsCapabilities(): boolean {
    return this.#capabilities !== undefined;
  }

  get enabled(): ReadonlySet<string> {
    return this.#enabled;
  }

  /** Whether the server offers it. IMAP4rev2 has much in it that was an extension before (RFC 9051 appendix E). */
  has(capability: string): boolean {
    const name = capability.toUpperCase();
    return this.capabilities.has(name) || (partsOfRev2.has(name) && this.isRev2);
  }

  /** The names after `AUTH=`. */
  get mechanisms(): string[] {
    return [...this.capabilities].filter((name) => name.startsWith("AUTH=")).map((name) => name.slice(5));
  }

  /** IMAP4rev2 is spoken: it was enabled, or the server knows nothing else (RFC 9051 section 6.3.1). */
  get isRev2(): boolean {
    return (
      this.#enabled.has("IMAP4REV2") ||
      (this.capabilities.has("IMAP4REV2") && !this.capabilities.has("IMAP4REV1"))
    );
  }

  /** Names and strings are UTF-8. */
  get utf8(): boolean {
    return this.isRev2 || this.#enabled.has("UTF8=ACCEPT");
  }

  get format(): FormatOptions {
    const literals = this.capabilities.has("LITERAL+") ? "plus" : this.has("LITERAL-") ? "minus" : "sync";
    return { literals, utf8: this.utf8 };
  }

  /** Takes in what any response says of the connection as a whole, and of the mailbox. */
  observe(response: ImapResponse): void {
    if (response.type === "capability") this.#learn(response.capabilities);
    else if (response.type === "enabled")
      this.#enabled = new Set([...this.#enabled, ...response.capabilities.map((name) => name.toUpperCase())]);
    else if (response.type === "status") this.#status(response);
    this.mailbox?.observe(response);
  }

  #status({ code }: StatusResponse): void {
    if (code?.name === "CAPABILITY") this.#learn(code.capabilities);
    if (code?.name === "CLOSED") this.mailbox = undefined;
  }

  #learn(capabilities: readonly string[]): void {
    this.#capabilities = new Set(capabilities.map((name) => name.toUpperCase()));
  }

  /** What the server offers is to be asked anew: after TLS, a login, UNAUTHENTICATE. */
  forgetCapabilities(): void {
    this.#capabilities = undefined;
  }

  /** UNAUTHENTICATE: RFC 8437 section 4. */
  reset(): void {
    this.forgetCapabilities();
    this.#enabled = new Set();
    this.mailbox = undefined;
    this.state = "not-authenticated";
  }
}

const nothing: ReadonlySet<string> = new Set();

const partsOfRev2: ReadonlySet<string> = new Set([
  ...[
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "SEARCHRES",
    "ENABLE",
    "IDLE",
    "SASL-IR",
    "LIST-EXTENDED",
  ],
  ...["LIST-STATUS", "MOVE", "LITERAL-", "SPECIAL-USE", "STATUS=SIZE", "BINARY"],
]);
