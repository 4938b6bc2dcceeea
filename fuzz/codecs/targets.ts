/** What is fed to each codec: a way to run it over some bytes, which gives values or throws a HawserError. */
import type { ByteQueue } from "../../src/core/byte-queue.js";
import type { Decoder } from "../../src/core/decoder.js";
import { defaultLimits, type Limits } from "../../src/core/limits.js";
import {
  commandFramer,
  parseCommand as parseImapCommand,
  parseResponse,
  responseFramer,
} from "../../src/imap/codec.js";
import { decodeUtf7 } from "../../src/imap/codec-utf7.js";
import { decodeWords, parseAddressList, scanHeaders, scanStructure } from "../../src/mail/index.js";
import { parseCommand as parsePop3Command, takeReply } from "../../src/pop3/codec.js";
import { listDecoder, parseListing, parseUniqueId } from "../../src/pop3/codec-lists.js";
import { decodeBase64 } from "../../src/sasl/base64.js";
import { commandDecoder, parseBdat, parseCommand } from "../../src/smtp/codec.js";
import { parseEhlo } from "../../src/smtp/codec-ehlo.js";
import { parseMailParameters, parseRcptParameters } from "../../src/smtp/codec-parameters.js";
import { parsePathCommand } from "../../src/smtp/codec-path.js";
import { replyDecoder } from "../../src/smtp/codec-reply.js";
import { proxyHeaderDecoder } from "../../src/transport/proxy-header.js";
import { dotBlockDecoder } from "../../src/wire/dot-block.js";

/** Takes all that it can out of the queue. */
export type Target = (queue: ByteQueue) => void;

const limits: Limits = { ...defaultLimits, maxLineBytes: 4096, maxReplyBytes: 65_536, maxBodyBytes: 65_536 };

/** Runs a decoder for value after value; `use` does with each what a client or server would. */
function every<T>(make: () => Decoder<T>, use: (value: T) => void = () => {}): Target {
  let decode = make();
  return (queue) => {
    for (let value = decode(queue, limits); value !== undefined; value = decode(queue, limits)) {
      decode = make();
      use(value);
    }
  };
}

/** A body: pieces, and `null` at its end. */
function body(make: () => Decoder<Uint8Array | null>): Target {
  let decode = make();
  return (queue) => {
    for (let piece = decode(queue, limits); piece !== undefined; piece = decode(queue, limits))
      if (piece === null) decode = make();
  };
}

function smtpCommand(line: Uint8Array): void {
  const { verb, argument } = parseCommand(line);
  if (verb === "MAIL") parseMailParameters(parsePathCommand(argument, "FROM").parameters);
  if (verb === "RCPT") parseRcptParameters(parsePathCommand(argument, "TO").parameters);
  if (verb === "BDAT") parseBdat(argument);
}

function imapResponses(): Target {
  const framer = responseFramer({ maxBufferedBytes: 512 });
  return (queue) => {
    for (;;) {
      if (!framer.idle && framer.literal !== undefined && drainLiteral(framer, queue)) continue;
      const event = framer.next(queue, limits);
      if (event === undefined) return;
      if (event.type === "frame") parseResponse(event.frame, { limits });
      else drainLiteral(framer, queue);
    }
  };
}

/** A streamed literal must be read before the frame goes on. False: it needs more bytes, or there is none. */
function drainLiteral(framer: { readonly literal: Decoder<Uint8Array | null> }, queue: ByteQueue): boolean {
  try {
    for (
      let piece = framer.literal(queue, limits);
      piece !== undefined;
      piece = framer.literal(queue, limits)
    )
      if (piece === null) return true;
  } catch {
    return false;
  }
  return false;
}

function imapCommands(): Target {
  const framer = commandFramer({ maxBufferedBytes: 512 });
  let big = false;
  return (queue) => {
    for (let event = framer.next(queue, limits); event !== undefined; event = framer.next(queue, limits)) {
      if (event.type === "frame") parseImapCommand(event.frame, { limits });
      else {
        big = event.octets > 512;
        if (big) framer.refuse();
        else framer.accept("buffer");
      }
    }
  };
}

const text = new TextDecoder("latin1");
/** What works on whole texts gets line after line. */
const lines = (use: (line: string) => void): (() => Target) => {
  return () =>
    every(
      () => (queue) => queue.takeLine(4096),
      (line) => use(text.decode(line)),
    );
};

/** A fresh run of each. */
export const targets: Readonly<Record<string, () => Target>> = {
  "smtp replies": () => every(replyDecoder, (reply) => void parseEhlo(reply)),
  "smtp commands": () =>
    every(
      () => commandDecoder(1000),
      (line) => line instanceof Uint8Array && smtpCommand(line),
    ),
  "dot blocks": () => body(dotBlockDecoder),
  "pop3 replies": () => every(() => takeReply),
  "pop3 lists": () => every(() => listDecoder(parseListing)),
  "pop3 unique ids": () => every(() => listDecoder(parseUniqueId)),
  "pop3 commands": () =>
    every(
      () => (queue) => queue.takeCrLfLine(255),
      (line) => void parsePop3Command(line),
    ),
  "imap responses": imapResponses,
  "imap commands": imapCommands,
  "imap mailbox names": lines((line) => void decodeUtf7(line)),
  "proxy headers": () => every(() => proxyHeaderDecoder),
  "mail structures": () =>
    every(
      () => (queue) => (queue.length > 0 ? queue.take(queue.length) : undefined),
      (bytes) => void scanStructure(bytes),
    ),
  "mail headers": () =>
    every(
      () => (queue) => (queue.length > 0 ? queue.take(queue.length) : undefined),
      (bytes) => void scanHeaders(bytes),
    ),
  "mail addresses": lines((line) => void parseAddressList(line)),
  "encoded words": lines((line) => void decodeWords(line)),
  base64: lines((line) => void decodeBase64(line)),
};
