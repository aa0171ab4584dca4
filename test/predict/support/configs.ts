import type { SettingsQuery } from "../../../src/predict/settingsSource.ts";

/** A configuration as the fixtures of llama.cpp's own figures write it. */
export function queryOfConfig(config: string): SettingsQuery {
  const [context, keys, values, slots, unified, flash, batch, ubatch, full] = config.split(",");
  return {
    totalContextLength: Number(context),
    kvCacheTypeK: keys,
    kvCacheTypeV: values,
    parallel: Number(slots),
    unifiedKv: unified === "1",
    flashAttention: flash === "1",
    batch: Number(batch),
    ubatch: Number(ubatch),
    fullSlidingWindow: full === "1",
  };
}
