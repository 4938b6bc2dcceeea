/** Memory to read into, in sizes that follow the traffic. */

const minBytes = 4096;
const maxBytes = 262_144;

/**
 * Hands out room for one read after the other. What a read has filled is never given out as room again, so that its
 * reader may keep it. An idle connection holds 4 KiB; one whose reads fill their room gets more, up to 256 KiB.
 */
export class ReadSlab {
  #room: Uint8Array = new Uint8Array(0);
  #wantedBytes = minBytes;

  /** Room for the next read. */
  room(): Uint8Array {
    if (this.#room.length * 2 < this.#wantedBytes) this.#room = new Uint8Array(this.#wantedBytes);
    return this.#room;
  }

  /** The first `bytes` of the room, which a read has filled. */
  take(bytes: number): Uint8Array {
    const taken = this.#room.subarray(0, bytes);
    this.#room = this.#room.subarray(bytes);
    if (this.#room.length === 0) this.#wantedBytes = Math.min(maxBytes, this.#wantedBytes * 2);
    else if (bytes * 8 < this.#wantedBytes) this.#wantedBytes = Math.max(minBytes, this.#wantedBytes / 2);
    return taken;
  }
}
