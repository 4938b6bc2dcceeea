/** Mailboxes for Dovecot, written as files before it starts: a maildir tells by the names of its files how large they are. */
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import type { Scratch } from "../../test/interop/scratch.js";
import { type Dovecot, startDovecot } from "../../test/interop/servers/dovecot.js";
import { messageOf } from "../messages.js";
import { multipart } from "./message.js";

/** nobody, as whom Dovecot reads mail. */
const uid = 65534;
const user = "alice";

/** Starts Dovecot with so many messages in its user's INBOX. */
export async function dovecotWith(scratch: Scratch, messages: number): Promise<Dovecot> {
  const folder = maildir(scratch);
  for (let number = 1; number <= messages; number += 1) put(folder, number, multipart(number));
  return await startDovecot(scratch, [user]);
}

/** Starts Dovecot with one large message. */
export async function dovecotWithOne(scratch: Scratch, bytes: number): Promise<Dovecot> {
  put(maildir(scratch), 1, messageOf(bytes));
  return await startDovecot(scratch, [user]);
}

function maildir(scratch: Scratch): string {
  const mail = scratch.mkdir("dovecot/mail");
  const folder = `${mail}/${user}`;
  for (const name of ["", "/cur", "/new", "/tmp"]) {
    mkdirSync(folder + name, { recursive: true });
    chownSync(folder + name, uid, uid);
  }
  return folder;
}

function put(folder: string, number: number, bytes: Uint8Array): void {
  const size = bytes.length;
  const path = `${folder}/cur/${1_700_000_000 + number}.M${number}P1.bench,S=${size},W=${size}:2,S`;
  writeFileSync(path, bytes);
  chownSync(path, uid, uid);
}
