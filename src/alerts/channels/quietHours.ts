/** A daily span of local time; one that ends before it begins spans midnight. */
export interface QuietHours {
  fromMinute: number;
  toMinute: number;
}

/** `minuteOfDay` is local time, 0 to 1439. The first minute is quiet, the last is not. */
export function isQuiet(hours: QuietHours | undefined, minuteOfDay: number): boolean {
  if (hours === undefined) {
    return false;
  }
  const { fromMinute, toMinute } = hours;
  return fromMinute < toMinute
    ? minuteOfDay >= fromMinute && minuteOfDay < toMinute
    : minuteOfDay >= fromMinute || minuteOfDay < toMinute;
}

/** Of the clock on the wall, daylight saving included. */
export function localMinuteOfDay(at: number): number {
  const date = new Date(at);
  return date.getHours() * 60 + date.getMinutes();
}
