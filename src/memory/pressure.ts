import type { Counters } from "./counters.ts";

/**
 * The totals of `/proc/pressure/memory`, microseconds since boot. The kernel's own `avg10` is a two-second-old mean of
 * ten seconds and comes too late to be of use; `total` is brought up to date at every read.
 */
export function parsePressure(text: string): Counters {
  return {
    pressureSomeMicroseconds: totalOf(text, "some "),
    pressureFullMicroseconds: totalOf(text, "full "),
  };
}

const TOTAL = "total=";

function totalOf(text: string, kind: string): number | undefined {
  const line = text.startsWith(kind) ? 0 : text.indexOf(`\n${kind}`);
  if (line < 0) return undefined;
  const at = text.indexOf(TOTAL, line);
  const value =
    at < 0 ? Number.NaN : Number.parseInt(text.slice(at + TOTAL.length, at + TOTAL.length + 20), 10);
  return Number.isNaN(value) ? undefined : value;
}
