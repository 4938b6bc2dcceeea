/** What a file's mode and options come to. */
import { LocalProtocolError } from "../../core/errors.js";
import { checkBytes, checkCount } from "../handle.js";
import { checkName, checkObject, show } from "../sockaddr.js";
import { ByteInput, encoderOf, type Input, type Newline, TextInput } from "./input.js";

/** Modes of files of text: read, write, both. */
export type TextFileMode = "r" | "w" | "rw";
/** Modes of files of bytes. */
export type BinaryFileMode = "rb" | "wb" | "rwb";

/** What `makefile` takes for files of bytes. */
export interface FileOptions {
  /**
   * The size of each buffer, in bytes. Default: 8192. 0: none, for bytes alone; each call makes one system call. 1: the
   * default size, and what is written leaves at every LF.
   */
  readonly bufferBytes?: number;
}

/** What `makefile` takes for files of text. */
export interface TextFileOptions extends FileOptions {
  /**
   * A label of the Encoding Standard, or `latin1` for all 256 bytes as they are. Default: utf-8. What cannot be decoded
   * becomes U+FFFD. Only utf-8 and latin1 can be written.
   */
  readonly encoding?: string;
  /**
   * Where lines end. null (the default): at CR LF, CR and LF, which are all read as LF; `""`: at the same, read as they
   * are; else only at this. `"\r"` and `"\r\n"` are also written in place of LF.
   */
  readonly newline?: Newline;
}

/** What a file's mode and options come to. */
export interface FileFormat {
  readonly bufferBytes: number;
  readonly lineBuffered: boolean;
  readonly input: Input<string | Uint8Array>;
  readonly encode: (data: unknown) => Uint8Array;
}

const defaultBufferBytes = 8192;

/** Checks what `makefile` was given. */
export function fileFormat(mode: string, options: TextFileOptions): FileFormat {
  if (typeof mode !== "string" || !/^(r|w|rw)b?$/.test(mode)) {
    throw new LocalProtocolError(`invalid mode ${show(mode)}: use r, w or rw, with b behind it for bytes`);
  }
  const { bufferBytes = defaultBufferBytes } = checkObject(options, "options");
  checkCount(bufferBytes, "bufferBytes", 0x7fffffff);
  const lineBuffered = bufferBytes === 1;
  const buffering = { lineBuffered, bufferBytes: lineBuffered ? defaultBufferBytes : bufferBytes };
  if (mode.endsWith("b")) {
    return { ...buffering, input: new ByteInput(), encode: (data) => checkBytes(data as Uint8Array, "data") };
  }
  if (bufferBytes === 0) throw new LocalProtocolError("unbuffered files are of bytes: use a mode with b");
  return { ...buffering, ...textFormat(mode, options) };
}

function textFormat(mode: string, options: TextFileOptions): Pick<FileFormat, "input" | "encode"> {
  const { encoding = "utf-8", newline = null } = options;
  if (newline !== null && !["", "\n", "\r", "\r\n"].includes(newline)) {
    throw new LocalProtocolError(`newline is null, "", "\\n", "\\r" or "\\r\\n", not ${show(newline)}`);
  }
  checkName(encoding, "encoding");
  const input = new TextInput(encoding, newline);
  if (!mode.includes("w")) return { input, encode: () => new Uint8Array(0) };
  const encode = encoderOf(encoding, newline);
  return {
    input,
    encode: (data) => {
      if (typeof data === "string") return encode(data);
      throw new LocalProtocolError(`a file of text takes strings, not ${show(data)}`);
    },
  };
}
