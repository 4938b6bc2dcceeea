/** Threads by what messages refer to: the REFERENCES algorithm of RFC 5256 section 3. */
import type { Threadable } from "./server-thread.js";

/** A message of a thread, or the place of one that is not there. */
export interface ThreadNode {
  message: Threadable | undefined;
  parent: ThreadNode | undefined;
  children: ThreadNode[];
}

/** The roots of the threads, in order. The numbers are those of the RFC's steps. */
export function threadByReferences(messages: readonly Threadable[]): ThreadNode[] {
  const roots = linked(messages); // 1 and 2
  const pruned = prune(roots); // 3
  const gathered = gather(pruned); // 5; the order of step 4 comes with step 6
  sortAll(gathered); // 6
  return gathered;
}

function empty(): ThreadNode {
  return { message: undefined, parent: undefined, children: [] };
}

function linked(messages: readonly Threadable[]): ThreadNode[] {
  const byId = new Map<string, ThreadNode>();
  const nodes: ThreadNode[] = [];
  const nodeOf = (id: string): ThreadNode => {
    const known = byId.get(id);
    if (known !== undefined) return known;
    const node = empty();
    byId.set(id, node);
    nodes.push(node);
    return node;
  };
  for (const message of messages) {
    // A second message of one identifier is a message of its own.
    const { messageId } = message;
    const isTaken = messageId === undefined || byId.get(messageId)?.message !== undefined;
    const node = isTaken ? empty() : nodeOf(messageId);
    if (isTaken) nodes.push(node);
    node.message = message;
    linkToReferences(node, message.references.map(nodeOf));
  }
  return nodes.filter(({ parent }) => parent === undefined);
}

function linkToReferences(node: ThreadNode, references: readonly ThreadNode[]): void {
  let before: ThreadNode | undefined;
  for (const reference of references) {
    if (before !== undefined && reference.parent === undefined) link(before, reference);
    before = reference;
  }
  // What the message itself says of its parent goes before what others have said.
  unlink(node);
  if (before !== undefined) link(before, node);
}

/** A link that would make a circle is not made. */
function link(parent: ThreadNode, child: ThreadNode): void {
  for (let at: ThreadNode | undefined = parent; at !== undefined; at = at.parent) if (at === child) return;
  child.parent = parent;
  parent.children.push(child);
}

function unlink(node: ThreadNode): void {
  const { parent } = node;
  if (parent === undefined) return;
  parent.children = parent.children.filter((child) => child !== node);
  node.parent = undefined;
}

/** Every node, those below before those above. */
function bottomUp(roots: readonly ThreadNode[]): ThreadNode[] {
  const order = [...roots];
  for (let at = 0; at < order.length; at += 1)
    for (const child of (order[at] as ThreadNode).children) order.push(child);
  return order.reverse();
}

/** Places of messages that are not there go: their children take them, but at the top only where it is one. */
function prune(roots: readonly ThreadNode[]): ThreadNode[] {
  for (const node of bottomUp(roots)) node.children = node.children.flatMap(kept);
  return roots.flatMap((root) =>
    root.message === undefined && root.children.length <= 1 ? root.children : [root],
  );
}

function kept(node: ThreadNode): ThreadNode[] {
  return node.message === undefined ? node.children : [node];
}

function subjectOf(root: ThreadNode) {
  return (root.message ?? earliest(root.children)?.message)?.subject;
}

/** The children of a place that is empty: the one that was sent first speaks for it. */
function earliest(nodes: readonly ThreadNode[]): ThreadNode | undefined {
  return [...nodes].sort(byDate)[0];
}

/** Threads of one subject become one: what lost its references is found again (step 5). */
function gather(roots: readonly ThreadNode[]): ThreadNode[] {
  const bySubject = new Map<string, ThreadNode>();
  for (const root of roots) {
    const subject = subjectOf(root);
    if (subject === undefined || subject.text === "") continue;
    const known = bySubject.get(subject.text);
    const goesFirst =
      known === undefined ||
      (known.message !== undefined && root.message === undefined) ||
      (known.message !== undefined && subjectOf(known)?.isReply === true && !subject.isReply);
    if (goesFirst) bySubject.set(subject.text, root);
  }
  const gone = new Set<ThreadNode>();
  for (const root of roots) {
    const table = bySubject.get(subjectOf(root)?.text ?? "");
    if (table === undefined || table === root || gone.has(root)) continue;
    const merged = merge(table, root);
    gone.add(root);
    if (merged !== table) replaceContents(table, merged);
  }
  return roots.filter((root) => !gone.has(root));
}

/** Step 5.4: what becomes of the thread in the table and of another one with its subject. */
function merge(table: ThreadNode, other: ThreadNode): ThreadNode {
  if (table.message === undefined && other.message === undefined) {
    table.children.push(...other.children);
    return table;
  }
  const isAnswer = other.message?.subject.isReply === true && subjectOf(table)?.isReply === false;
  if (table.message === undefined || isAnswer) {
    table.children.push(other);
    return table;
  }
  return { message: undefined, parent: undefined, children: [{ ...table }, other] };
}

/** The node in the table stays the same one, since the list of roots holds it. */
function replaceContents(node: ThreadNode, { message, children }: ThreadNode): void {
  node.message = message;
  node.children = children;
}

function byDate(a: ThreadNode, b: ThreadNode): number {
  const [one, other] = [dated(a), dated(b)];
  return (one?.sentMs ?? 0) - (other?.sentMs ?? 0) || (one?.sequence ?? 0) - (other?.sequence ?? 0);
}

/** Children are in order by then, so the first one speaks for a place that is empty. */
function dated({ message, children }: ThreadNode): Threadable | undefined {
  return message ?? children[0]?.message;
}

function sortAll(roots: ThreadNode[]): void {
  for (const node of bottomUp(roots)) node.children.sort(byDate);
  roots.sort(byDate);
}
