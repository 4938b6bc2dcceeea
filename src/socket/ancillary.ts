/** Ancillary data as the calls take them: checked, in the one form that they are read in. */
import { LocalProtocolError } from "../core/errors.js";
import { isBytes, isInt, listOf, show } from "./sockaddr.js";
import type { AncillaryItem, AncillaryLike } from "./types.js";

/** Ancillary data, each item an object. Throws {@link LocalProtocolError} for anything else. */
export function ancillaryItems(ancillary: Iterable<AncillaryLike>): AncillaryItem[] {
  return listOf(ancillary, "ancillary data are a list of [level, type, data]").map(ancillaryItem);
}

function ancillaryItem(like: AncillaryLike): AncillaryItem {
  const triple = Array.isArray(like) ? like : [Object(like).level, Object(like).type, Object(like).data];
  const [level, type, data] = triple as [unknown, unknown, unknown];
  if (triple.length === 3 && isInt(level) && isInt(type) && isBytes(data)) return { level, type, data };
  throw new LocalProtocolError(`an ancillary datum is [level, type, data], not ${show(like)}`);
}
