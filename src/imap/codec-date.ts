/** Dates: `date`, `date-time` of RFC 9051 section 9. */
import { LocalProtocolError, RemoteProtocolError } from "../core/errors.js";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const monthOf = new Map(months.map((name, month) => [name.toLowerCase(), month]));
const dateTime =
  /^([ 0-9]?[0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/;
const dateOnly = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/;

/** A date without a time or a zone, as SEARCH has it. */
export interface ImapDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Reads `17-Jul-1996 02:44:25 -0700`, without the quotes; a one-digit day may come without its space. */
export function parseDateTime(text: string): Date {
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = dateTime.exec(text) ?? [];
  const local = checkedDay(text, year, month, day);
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60 || Number(zoneMinutes) > 59)
    throw broken(text);
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? 60_000 : -60_000);
  return new Date(
    local + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000 + offset,
  );
}

/** `17-Jul-1996 02:44:25 +0000`, without the quotes. @throws {LocalProtocolError} not a date from year 0 to 9999. */
export function formatDateTime(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new LocalProtocolError("a date-time has a year from 0 to 9999");
  const time = date.toISOString().slice(11, 19);
  const day = String(date.getUTCDate()).padStart(2, " ");
  return `${day}-${months[date.getUTCMonth()]}-${String(year).padStart(4, "0")} ${time} +0000`;
}

/** Reads `1-Feb-1994`. */
export function parseDate(text: string): ImapDate {
  const [, day, month, year] = dateOnly.exec(text) ?? [];
  checkedDay(text, year, month, day);
  return { year: Number(year), month: (monthOf.get((month ?? "").toLowerCase()) ?? 0) + 1, day: Number(day) };
}

/** `1-Feb-1994`; of a `Date` the day that it is in UTC. @throws {LocalProtocolError} there is no such day. */
export function formatDate(date: ImapDate | Date): string {
  const { year, month, day } = date instanceof Date ? utcDay(date) : date;
  const text = `${day}-${months[month - 1]}-${String(year).padStart(4, "0")}`;
  try {
    parseDate(text);
  } catch (cause) {
    throw new LocalProtocolError(`there is no day ${text}`, { cause });
  }
  return text;
}

function utcDay(date: Date): ImapDate {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** The start of the day in milliseconds since the epoch, as if in UTC. */
function checkedDay(
  text: string,
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): number {
  const monthIndex = monthOf.get(month?.toLowerCase() ?? "");
  if (monthIndex === undefined) throw broken(text);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, Number(day));
  if (date.getUTCDate() !== Number(day)) throw broken(text);
  return date.getTime();
}

function broken(text: string): RemoteProtocolError {
  return new RemoteProtocolError("this is no date of IMAP", { excerpt: text, rfc: "RFC 9051 section 9" });
}
