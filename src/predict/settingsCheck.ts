import { SettingsProblem } from "./estimateSettings.ts";
import type { SettingsQuery } from "./settingsSource.ts";

/** Beyond any context, batch or layer count: sums of products with these stay finite. */
const MOST = 2 ** 31 - 1;
/** llama.cpp serves at most this many slots. */
const MOST_SLOTS = 256;

const LIMITS: readonly (readonly [keyof SettingsQuery, number, number])[] = [
  ["contextLength", 1, MOST],
  ["totalContextLength", 1, MOST],
  ["parallel", 1, MOST_SLOTS],
  ["batch", 1, 1_048_576],
  ["ubatch", 1, 1_048_576],
  ["offloadedLayers", 0, MOST],
];

const BACKENDS = ["cpu", "cuda", "metal"];

/** Throws {@link SettingsProblem} for a number that is no setting. */
export function checkQuery(query: SettingsQuery | undefined): void {
  if (query === undefined) return;
  for (const [name, least, most] of LIMITS) {
    const value = query[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new SettingsProblem(
        name,
        `${name} is ${String(value)}: a whole number from ${least} to ${most} is needed`,
      );
    }
  }
  if (query.backend !== undefined && !BACKENDS.includes(query.backend)) {
    throw new SettingsProblem(
      "backend",
      `backend ${JSON.stringify(query.backend)} is not one of ${BACKENDS.join(", ")}`,
    );
  }
}
