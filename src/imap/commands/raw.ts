/** A command that has no method of its own, by its typed parts. */

import { LocalProtocolError } from "../../core/errors.js";
import type { Command } from "../client-command.js";
import type { CommandPart } from "../codec-parts.js";
import type { ImapResponse, StatusResponse } from "../types-response.js";

/** What a server answered. */
export interface RawResult {
  readonly status: StatusResponse;
  /** The untagged responses that came with it. */
  readonly responses: readonly ImapResponse[];
}

/** Alone on the line, for nobody knows what it does. */
export function raw(parts: readonly CommandPart[]): Command<RawResult> {
  const [first] = parts;
  if (first?.type !== "atom") throw new LocalProtocolError("a command begins with its name, an atom");
  if (isOwn.test(first.value))
    throw new LocalProtocolError(`${first.value.toUpperCase()} changes the connection: use its method`);
  const responses: ImapResponse[] = [];
  return {
    name: first.value,
    parts,
    effects: { alone: true },
    take: (response) => {
      responses.push(response);
      return true;
    },
    done: (status) => ({ status, responses }),
  };
}

const isOwn =
  /^(?:STARTTLS|AUTHENTICATE|LOGIN|COMPRESS|IDLE|SELECT|EXAMINE|UNSELECT|CLOSE|LOGOUT|UNAUTHENTICATE|NOTIFY)$/i;
