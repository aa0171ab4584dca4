/**
 * The whole number that follows `label` at the start of a line, or `undefined` when the line is missing or holds no
 * number. Works for `/proc/meminfo`, `/proc/vmstat`, `/proc/PID/status` and a group's `memory.stat`.
 * It searches and reads digits in place: splitting four kilobytes into lines every second is the larger cost.
 */
export function numberAfter(text: string, label: string): number | undefined {
  for (let at = text.indexOf(label); at >= 0; at = text.indexOf(label, at + 1)) {
    if (at === 0 || text.charCodeAt(at - 1) === NEWLINE) return digitsAt(text, at + label.length);
  }
  return undefined;
}

const NEWLINE = 10;
const TAB = 9;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;

function digitsAt(text: string, from: number): number | undefined {
  let at = from;
  while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB) at += 1;
  let value = 0;
  const firstDigitAt = at;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) break;
    value = value * 10 + (code - ZERO);
  }
  return at === firstDigitAt ? undefined : value;
}
