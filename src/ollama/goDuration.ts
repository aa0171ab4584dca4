const SECONDS_PER_UNIT = new Map([
  ["ns", 1e-9],
  ["us", 1e-6],
  ["µs", 1e-6],
  ["μs", 1e-6],
  ["ms", 1e-3],
  ["s", 1],
  ["m", 60],
  ["h", 3600],
]);

/** What a Go duration can hold: 2^63 nanoseconds, about 292 years. */
const LONGEST_SECONDS = 2 ** 63 / 1e9;

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Seconds of a Go duration string such as `5m`, `1h30m`, `-1s` or `0`, or undefined for what Go refuses too: no unit,
 * an unknown unit, blanks, or more than it can hold.
 */
export function parseGoDuration(text: string): number | undefined {
  const negative = text.startsWith("-");
  const amount = negative || text.startsWith("+") ? text.slice(1) : text;
  if (amount === "0") {
    return 0;
  }
  let seconds = 0;
  let index = 0;
  while (index < amount.length) {
    PART.lastIndex = index;
    const part = PART.exec(amount);
    if (part === null) {
      return undefined;
    }
    seconds += Number(part[1]) * (SECONDS_PER_UNIT.get(part[2] ?? "") ?? Number.NaN);
    index = PART.lastIndex;
  }
  if (index === 0 || !(seconds < LONGEST_SECONDS)) {
    return undefined;
  }
  return negative && seconds > 0 ? -seconds : seconds;
}
