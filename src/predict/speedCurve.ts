/** Tokens per second over depth, for an estimate of a configuration. */
import { decodeMsAt } from "./decodeFit.ts";
import type { DecodePlan } from "./decodePrior.ts";
import type { Learned } from "./guessLearned.ts";
import type { SpeedSettings } from "./guessTypes.ts";
import type { MemoryEstimate } from "../types.ts";

/** Depths that people ask for, below the context that is asked about. */
const DEPTHS = [0, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144];

/** Nine in ten of what is normally distributed lie within so many standard deviations. */
const DEVIATIONS = 1.645;

export interface SpeedCurve {
  speed: NonNullable<MemoryEstimate["speed"]>;
  /** Depth at which a token takes twice as long as with an empty context, once measured. */
  halfSpeedDepthTokens?: number;
}

/**
 * Speed at depths up to `contextLength`. Provenance `predicted` when fitted to answers of this very model and settings,
 * `assumed` when it rests on the chip's bandwidth or on other models. Undefined when nothing is known.
 */
export function speedCurve(
  learned: Learned,
  asked: { model: string; settings?: SpeedSettings; contextLength: number; plan?: DecodePlan },
): SpeedCurve | undefined {
  const { model, contextLength } = asked;
  const { decode } = learned.speed.of(model, asked.settings, asked.plan);
  const line = decode.line();
  if (line === undefined || !(contextLength >= 0 && contextLength < 1e9)) {
    return undefined;
  }
  const band = learned.model(model).bands.decodeTokensPerSecond;
  const depths = [...DEPTHS.filter((depth) => depth < contextLength), Math.trunc(contextLength)];
  const rates = depths.map((depth) => {
    const ms = decodeMsAt(line, depth);
    const { low = 0, high = Infinity } = band.around(1000 / ms);
    // Far from the depths that were seen, it is the slope that is unsure.
    const unsure = (DEVIATIONS * line.perDepthDeviationMs * Math.abs(depth - line.centreDepthTokens)) / ms;
    return { depth, value: 1000 / ms, low: low / (1 + unsure), high: high * (1 + unsure) };
  });
  const curve: SpeedCurve = {
    speed: {
      decodeTokensPerSecond: rates,
      provenance: decode.answers() > 0 ? "predicted" : "assumed",
    },
  };
  const half = decode.halfSpeedDepth();
  return half === undefined ? curve : { ...curve, halfSpeedDepthTokens: half };
}
