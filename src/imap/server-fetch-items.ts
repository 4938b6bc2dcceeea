/** The items of FETCH for one message: RFC 9051 section 7.5.2. */
import type { MessageContent, MessageInfo } from "../mail/store.js";
import type { OutgoingAttributes, OutgoingSection } from "./codec-format-fetch.js";
import { wholeMessage } from "./codec-section.js";
import { flagsOf } from "./server-flags.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import { Message } from "./server-section.js";
import type { Session } from "./server-session.js";
import { describe } from "./server-structure.js";
import { previewOf } from "./server-text.js";
import type { FetchItem, PlainFetchItem } from "./types-command.js";

type Sections = NonNullable<OutgoingAttributes["sections"]>[number];
type Binaries = NonNullable<OutgoingAttributes["binary"]>[number];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Attributes = Mutable<Omit<OutgoingAttributes, "sections" | "binary" | "binarySize">> & {
  sections: Sections[];
  binary: Binaries[];
  binarySize: { readonly part: string; readonly octets: number }[];
};

/** Everything that was asked for of a message. */
export async function attributesOf(
  session: Session,
  mailbox: SelectedMailbox,
  info: MessageInfo,
  content: MessageContent,
  items: readonly FetchItem[],
): Promise<OutgoingAttributes> {
  const message = new Message(content);
  const found: Attributes = { sections: [], binary: [], binarySize: [] };
  for (const item of items) await add(found, item, { session, mailbox, info, message });
  return found;
}

/** One message, and who asks for it. */
interface Asked {
  readonly session: Session;
  readonly mailbox: SelectedMailbox;
  readonly info: MessageInfo;
  readonly message: Message;
}

async function add(found: Attributes, item: FetchItem, asked: Asked): Promise<void> {
  const { message } = asked;
  switch (item.item) {
    case "BODY[]": {
      const data = await message.section(item.section, item.partial);
      found.sections.push({ section: item.section, origin: item.partial?.offset, data });
      return;
    }
    case "BINARY[]": {
      const data = await message.binary(item.part, item.partial);
      found.binary.push({ part: item.part, origin: item.partial?.offset, data });
      return;
    }
    case "BINARY.SIZE": {
      const octets = (await message.binary(item.part))?.length ?? 0;
      found.binarySize.push({ part: item.part, octets });
      return;
    }
    case "PREVIEW": {
      const { structure, bytes } = await message.structure();
      found.preview = previewOf(structure, bytes);
      return;
    }
    default:
      Object.assign(found, await plain[item.item]?.(asked));
  }
}

async function sectionOf(message: Message, text: "" | "HEADER" | "TEXT"): Promise<OutgoingSection> {
  return await message.section({ ...wholeMessage, text });
}

const plain: Partial<
  Record<PlainFetchItem, (asked: Asked) => Partial<OutgoingAttributes> | Promise<Partial<OutgoingAttributes>>>
> = {
  UID: ({ info }) => ({ uid: info.uid }),
  FLAGS: ({ session, mailbox, info }) => ({ flags: flagsOf(session, mailbox, info) }),
  INTERNALDATE: ({ info }) => ({ internalDate: info.internalDate }),
  "RFC822.SIZE": ({ info }) => ({ size: info.sizeOctets }),
  MODSEQ: ({ info }) => ({ modSeq: info.modSeq }),
  EMAILID: ({ info }) => ({ emailId: info.emailId }),
  THREADID: ({ info }) => ({ threadId: info.threadId ?? null }),
  SAVEDATE: ({ info }) => ({ saveDate: info.saveDate }),
  ENVELOPE: async ({ message }) => ({ envelope: (await describe(message.content)).envelope }),
  BODY: async ({ message }) => ({ body: (await describe(message.content)).body }),
  BODYSTRUCTURE: async ({ message }) => ({ bodyStructure: (await describe(message.content)).body }),
  RFC822: async ({ message }) => ({ rfc822: await sectionOf(message, "") }),
  "RFC822.HEADER": async ({ message }) => ({ rfc822Header: await sectionOf(message, "HEADER") }),
  "RFC822.TEXT": async ({ message }) => ({ rfc822Text: await sectionOf(message, "TEXT") }),
};
