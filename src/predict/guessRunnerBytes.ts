/**
 * A runner's memory after an exchange. The cache of its context is resident from the load on; what grows is compute
 * buffers that the first prompt touches, and, from v0.30 on, a copy of every conversation that another one displaces.
 */
import type { GuessBasis, GuessInput } from "./guessTypes.ts";
import type { LearnedModel } from "./guessModel.ts";

/** Bytes of the runner's memory after this exchange; undefined where its memory before is not known. */
export function guessRunnerBytes(
  input: GuessInput,
  basis: GuessBasis,
  model: LearnedModel,
): number | undefined {
  const before = input.runnerBytes;
  if (before === undefined || !(before > 0 && before < 1e15)) {
    return undefined;
  }
  return Math.max(0, Math.round(before + growth(input, basis, model)));
}

/** Files the growth that was measured under what explains it. */
export function learnRunnerBytes(
  { input, basis }: { input: GuessInput; basis: GuessBasis },
  afterBytes: number,
  model: LearnedModel,
): void {
  const grown = afterBytes - (input.runnerBytes ?? Number.NaN);
  if (isFirst(input, model)) {
    model.recent.firstGrowthBytes.add(grown);
  } else if (basis.displacedTokens > 0) {
    model.recent.displacedGrowthBytesPerToken.add(grown / basis.displacedTokens);
  } else {
    model.recent.continuedGrowthBytes.add(grown);
  }
}

function growth(input: GuessInput, basis: GuessBasis, model: LearnedModel): number {
  if (isFirst(input, model)) {
    return model.recent.firstGrowthBytes.median() ?? 0;
  }
  if (basis.displacedTokens > 0) {
    const kept = input.promptCache === true && validBytes(input.kvBytesPerToken) ? input.kvBytesPerToken : 0;
    return basis.displacedTokens * (model.recent.displacedGrowthBytesPerToken.median() ?? kept);
  }
  // Buffers are touched once: what the last turns grew by is as much as the next one will, or more.
  const { continuedGrowthBytes } = model.recent;
  return Math.min(continuedGrowthBytes.median() ?? 0, continuedGrowthBytes.latest() ?? 0);
}

/** Nothing was asked of this runner yet, as far as is known. */
function isFirst(input: GuessInput, { prefixes }: LearnedModel): boolean {
  return input.loaded === false || prefixes.latest() === undefined;
}

function validBytes(value: number | undefined): value is number {
  return value !== undefined && value > 0 && value < 1e9;
}
