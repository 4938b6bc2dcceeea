/** The door to the libc table: loaded on first use, so that importing `hawser/socket` loads no native library. */
import { UnsupportedError } from "../../core/errors.js";
import { loadKoffi } from "./koffi.js";
import type { Native } from "./native.js";

/** Architectures whose Linux constants and struct layouts are the generic ones of `linux.ts`. */
const architectures = new Set(["x64", "arm64", "riscv64", "loong64"]);

let instance: Native | undefined;

/** The libc table. Throws {@link UnsupportedError} where level 1 does not work, naming what is missing. */
export function native(): Native {
  instance ??= load();
  return instance;
}

function load(): Native {
  if (process.platform !== "linux" || !architectures.has(process.arch)) {
    throw new UnsupportedError(
      "level-1 sockets",
      `level-1 sockets work on Linux (${[...architectures].join(", ")}); this is ${process.platform} ${process.arch}`,
    );
  }
  return loadKoffi();
}
