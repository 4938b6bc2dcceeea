/** Transcripts under test/PROTOCOL/transcripts: each is a test of our client and of our server. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { memoryPair, type PlayOptions, playClient, playServer } from "../src/testing/index.js";
import type { Transport } from "../src/transport/types.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How a protocol takes part in its transcripts. The keys are names of files, without `.txt`. */
export interface TranscriptAdapters {
  /** What our client does in each transcript: from the greeting to its end, which closes the transport. */
  readonly clients: Readonly<Record<string, Script>>;
  /** Our server, with what the transcripts suppose is there. */
  serve(transport: Transport, name: string): Promise<void>;
  /** Transcripts of which our server cannot take part, and why not. */
  readonly notServed?: Readonly<Record<string, string>> | undefined;
  /** How both are played. */
  readonly options?: PlayOptions | undefined;
}

/** A client's part; or, as text, why it has none. */
export type Script = ((transport: Transport) => Promise<void>) | string;

const fragments = [1, 7, 65_536];

/** A test for each side of each file, with reads of 1, 7 and as many bytes as there are. */
export function testTranscripts(protocol: string, adapters: TranscriptAdapters): void {
  const files = transcriptsOf(protocol);
  test(`${protocol}: every transcript has a client script, and every script its transcript`, ({ assert }) => {
    assert.deepEqual(Object.keys(adapters.clients).sort(), files.map(({ name }) => name).sort());
  });
  for (const { name, text } of files) {
    testClient(protocol, name, text, adapters);
    testServer(protocol, name, text, adapters);
  }
}

/** The transcripts of a protocol. */
export function transcriptsOf(protocol: string): { readonly name: string; readonly text: string }[] {
  const folder = join(root, "test", protocol, "transcripts");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .map((file) => ({ name: file.slice(0, -4), text: readFileSync(join(folder, file), "utf8") }));
}

function testClient(protocol: string, name: string, text: string, adapters: TranscriptAdapters): void {
  const script = adapters.clients[name];
  const skip = typeof script === "string" ? script : false;
  test(`${protocol}: our client in ${name}.txt`, { skip }, async () => {
    if (typeof script !== "function") return;
    await atEverySize((near, far) => [playServer(text, far, adapters.options), script(near)]);
  });
}

function testServer(protocol: string, name: string, text: string, adapters: TranscriptAdapters): void {
  const skip = adapters.notServed?.[name] ?? false;
  test(`${protocol}: our server in ${name}.txt`, { skip }, async () => {
    await atEverySize((near, far) => [playClient(text, near, adapters.options), adapters.serve(far, name)]);
  });
}

async function atEverySize(run: (near: Transport, far: Transport) => Promise<void>[]): Promise<void> {
  for (const fragmentBytes of fragments) {
    const [near, far] = memoryPair({ fragmentBytes });
    await allOrFirstFailure(run(near, far), () => Promise.all([near.close(), far.close()]));
  }
}

/** Whoever fails first says why; the others are made to end. */
async function allOrFirstFailure(
  sides: readonly Promise<void>[],
  stop: () => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  const failed = async (error: unknown): Promise<void> => {
    failures.push(error);
    await stop();
  };
  await Promise.all(sides.map((side) => side.catch(failed)));
  if (failures.length > 0) throw failures[0];
}
