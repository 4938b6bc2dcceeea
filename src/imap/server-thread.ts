/** THREAD: ORDEREDSUBJECT and REFERENCES of RFC 5256 section 3. */
import type { Candidate } from "./server-candidate.js";
import type { CommandFront } from "./server-dispatch.js";
import { Pace } from "./server-pace.js";
import { bad } from "./server-refusal.js";
import { find } from "./server-search.js";
import type { Session } from "./server-session.js";
import { sentOrArrived } from "./server-sort.js";
import { type BaseSubject, baseSubject } from "./server-subject.js";
import { type ThreadNode, threadByReferences } from "./server-thread-references.js";
import type { CommandArguments } from "./types-command.js";
import type { Thread } from "./types-response.js";

/** What threading looks at. */
export interface Threadable {
  readonly id: number;
  readonly sequence: number;
  readonly sentMs: number;
  readonly subject: BaseSubject;
  readonly messageId: string | undefined;
  /** The messages that it answers, the oldest first. */
  readonly references: readonly string[];
}

export async function thread(
  session: Session,
  command: CommandArguments["THREAD"] & CommandFront,
): Promise<void> {
  const { algorithm } = command;
  if (algorithm !== "REFERENCES" && algorithm !== "ORDEREDSUBJECT")
    throw bad("there is no such way of threading");
  const { uid } = command;
  const messages = await read(await find(session, command), uid);
  const threads =
    algorithm === "REFERENCES" ? threadByReferences(messages).map(toThread) : bySubject(messages);
  session.respond({ type: "thread", threads });
}

async function read(found: readonly Candidate[], uid: boolean): Promise<Threadable[]> {
  const messages: Threadable[] = [];
  const pace = new Pace();
  for (const candidate of found) {
    const header = await candidate.header();
    const [messageId] = idsIn(header.get("message-id"));
    const references = idsIn(header.get("references"));
    messages.push({
      ...{ id: uid ? candidate.info.uid : candidate.sequence, sequence: candidate.sequence },
      ...{ sentMs: await sentOrArrived(candidate), subject: baseSubject(header.get("subject")), messageId },
      references: references.length > 0 ? references : idsIn(header.get("in-reply-to")).slice(0, 1),
    });
    await pace.step();
  }
  return messages;
}

/** To find circles costs the square of this, and anybody can send a message with as many as they like. */
const maxReferences = 200;

/** The message identifiers in a field, without their brackets. */
function idsIn(value: string | undefined): string[] {
  const found = (value ?? "").match(/<[^<>\s]+>/g) ?? [];
  return found.slice(-maxReferences).map((id) => id.slice(1, -1));
}

function inSentOrder(a: Threadable, b: Threadable): number {
  return a.sentMs - b.sentMs || a.sequence - b.sequence;
}

/** Messages of one base subject: the first is answered by all the others. */
function bySubject(messages: readonly Threadable[]): Thread[] {
  const groups = new Map<string, Threadable[]>();
  for (const message of [...messages].sort(inSentOrder)) {
    const group = groups.get(message.subject.text);
    if (group === undefined) groups.set(message.subject.text, [message]);
    else group.push(message);
  }
  return [...groups.values()].map(([first, ...answers]) => ({
    id: first?.id,
    children: answers.map(({ id }) => ({ id, children: [] })),
  }));
}

/** Without recursion down a chain of answers, which may be long. */
function toThread(root: ThreadNode): Thread {
  const top: { id: number | undefined; children: Thread[] } = { id: root.message?.id, children: [] };
  const work: [ThreadNode, { children: Thread[] }][] = [[root, top]];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const [node, made] = next;
    for (const child of node.children) {
      const thread = { id: child.message?.id, children: [] };
      made.children.push(thread);
      work.push([child, thread]);
    }
  }
  return top;
}
