/** `keep_alive`: a number of seconds or a Go duration; negative is for ever. */
import { RequestError } from "./failures.ts";

const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function readKeepAliveMs(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return value * 1000;
  if (typeof value !== "string") throw new RequestError(400, "Unknown type for keep_alive");
  const text = value.trim();
  if (text === "0") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  const unsigned = text.replace(/^[+-]/u, "");
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/u.test(unsigned)) {
    throw new RequestError(400, `time: invalid duration ${JSON.stringify(value)}`);
  }
  const partsMs = [...unsigned.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gu)].map(
    ([, amount, unit]) => Number(amount) * (UNITS_MS[unit ?? ""] ?? 0),
  );
  return sign * partsMs.reduce((total, ms) => total + ms, 0);
}
