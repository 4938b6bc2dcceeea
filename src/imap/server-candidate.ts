/** A message that SEARCH, SORT or THREAD looks at; what stands in it is read when it is asked for, and once. */
import {
  decodeWords,
  type HeaderBlock,
  type MessageContent,
  type MessageInfo,
  scanHeaders,
  scanStructure,
} from "../mail/index.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import type { Session } from "./server-session.js";
import { headerText, partsOf, textOfPart } from "./server-text.js";

const maxHeaderBytes = 1_048_576;
const empty: Uint8Array = new Uint8Array(0);

/** A message under consideration. */
export class Candidate {
  readonly info: MessageInfo;
  readonly sequence: number;
  readonly #open: () => Promise<MessageContent | undefined>;
  #header: Promise<HeaderBlock> | undefined;

  constructor(info: MessageInfo, sequence: number, open: () => Promise<MessageContent | undefined>) {
    this.info = info;
    this.sequence = sequence;
    this.#open = open;
  }

  header(): Promise<HeaderBlock> {
    this.#header ??= this.#readHeader();
    return this.#header;
  }

  async #readHeader(): Promise<HeaderBlock> {
    const content = await this.#open();
    return scanHeaders((await content?.bytes(0, maxHeaderBytes)) ?? empty);
  }

  /** The values of a field, decoded. */
  async fields(name: string): Promise<readonly string[]> {
    return (await this.header()).all(name).map((value) => decodeWords(value));
  }

  /** What people read of the message, in pieces; with `header` its header too. */
  async *texts(withHeader: boolean): AsyncIterableIterator<string> {
    const content = await this.#open();
    if (content === undefined) return;
    const bytes = await content.bytes();
    const { root } = scanStructure(bytes);
    if (withHeader) yield headerText(bytes, root.header);
    for (const part of partsOf(root)) {
      if (part !== root) yield headerText(bytes, part.header);
      if (part.type === "text") yield textOfPart(bytes, part);
      if (part.message !== undefined) yield headerText(bytes, part.message.root.header);
    }
  }
}

/** Every message of the mailbox that the client knows of. */
export async function candidatesOf(session: Session, mailbox: SelectedMailbox): Promise<Candidate[]> {
  const { store } = session;
  const { mailboxId } = mailbox;
  const found: Candidate[] = [];
  for (const info of await store.list(mailboxId)) {
    const sequence = mailbox.sequenceOf(info.uid);
    if (sequence > 0) found.push(new Candidate(info, sequence, () => store.open(mailboxId, info.uid)));
  }
  return found;
}
