/** The Date field of a message, as SEARCH and SORT look at it: RFC 5322 section 3.3, RFC 5256 section 2.2. */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dateTime =
  /(\d{1,2})[ \t-]+([A-Za-z]{3})[ \t-]+(\d{2,4})(?:[ \t]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[ \t]+(?:([+-])(\d{2})(\d{2})|[A-Za-z]+))?)?/;
const msInDay = 86_400_000;

interface Parts {
  readonly dayMs: number;
  readonly timeMs: number;
  readonly zoneMs: number;
}

function parse(text: string | undefined): Parts | undefined {
  const match = dateTime.exec((text ?? "").slice(0, 200));
  if (match === null) return undefined;
  const [, day, name = "", year = "", hour = "0", minute = "0", second = "0", sign, zoneHours, zoneMinutes] =
    match;
  const month = months.indexOf(name.toLowerCase());
  if (month < 0) return undefined;
  const zoneMs = sign === undefined ? 0 : (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return {
    dayMs: Date.UTC(fullYear(year), month, Number(day)),
    timeMs: (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000,
    zoneMs: sign === "-" ? -zoneMs : zoneMs,
  };
}

/** RFC 5322 section 4.3. */
function fullYear(year: string): number {
  const value = Number(year);
  if (year.length === 4) return value;
  return year.length === 2 && value < 50 ? 2000 + value : 1900 + value;
}

/** The day that a Date field names, in its own zone, counted from the epoch. */
export function sentDay(date: string | undefined): number | undefined {
  const parts = parse(date);
  return parts === undefined ? undefined : Math.floor(parts.dayMs / msInDay);
}

/** When a message was sent, in milliseconds since the epoch. */
export function sentMs(date: string | undefined): number | undefined {
  const parts = parse(date);
  return parts === undefined ? undefined : parts.dayMs + parts.timeMs - parts.zoneMs;
}
