/** One listener for each signal, however many operations wait under it: Node warns of a leak at the eleventh. */

/** Something that an abort ends, in the form of an event listener. */
export interface Abortable {
  handleEvent(): void;
}

class AbortGroup implements Abortable {
  readonly members: Set<Abortable> = new Set();

  handleEvent(): void {
    for (const member of this.members) member.handleEvent();
  }
}

const groups = new WeakMap<AbortSignal, AbortGroup>();

/** Has `member.handleEvent()` called when `signal` is aborted. */
export function watchAbort(signal: AbortSignal | undefined, member: Abortable): void {
  if (signal === undefined) return;
  let group = groups.get(signal);
  if (group === undefined) {
    group = new AbortGroup();
    groups.set(signal, group);
    signal.addEventListener("abort", group, { once: true });
  }
  group.members.add(member);
}

/** Takes {@link watchAbort} back; with its last member the listener goes too. */
export function forgetAbort(signal: AbortSignal | undefined, member: Abortable): void {
  if (signal === undefined) return;
  const group = groups.get(signal);
  if (!group?.members.delete(member) || group.members.size > 0) return;
  groups.delete(signal);
  signal.removeEventListener("abort", group);
}
