/** What the tests of the resolver expect of its errors. */
import { NameError } from "../../../src/core/errors.js";

const errnos: Readonly<Record<string, number>> = {
  EAI_BADFLAGS: -1,
  EAI_NONAME: -2,
  EAI_AGAIN: -3,
  EAI_FAMILY: -6,
  EAI_SOCKTYPE: -7,
  EAI_SERVICE: -8,
  EAI_ADDRFAMILY: -9,
  HOST_NOT_FOUND: 1,
  TRY_AGAIN: 2,
  NO_RECOVERY: 3,
  NO_DATA: 4,
  EMFILE: 24,
};

/** How a name that does not exist fails: a machine without a name server cannot know that it does not. */
export const UNRESOLVED = "EAI_NONAME or EAI_AGAIN";

/** Whether an error is a {@link NameError} with one of the codes (joined by " or "), its number, and its code in the text. */
export function nameError(codes: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof NameError &&
    codes.split(" or ").includes(error.code) &&
    error.errno === errnos[error.code] &&
    error.message.includes(error.code);
}
