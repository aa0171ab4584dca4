/** The size of a prompt, and how much of it the runner holds already. */
import type { GuessBasis, GuessInput } from "./guessTypes.ts";
import type { LearnedModel } from "./guessModel.ts";
import { continuationIsHeld } from "./guessReuse.ts";
import type { EarlierTurn, PrefixMatch } from "./prefillPrefix.ts";

/** Without an answer to go by. */
const USUAL_RETURNS_ARE_CACHED = true;

/**
 * Tokens of this prompt as they will be read, the part of it that the runner is thought to hold, and how sure that is.
 * Nothing of it is exact but what the caller passed in: text is not tokenised.
 */
export function readPrompt(input: GuessInput, model: LearnedModel): GuessBasis {
  const prompt = promptOf(input);
  const match = prompt === undefined ? undefined : matchOf(input, model, prompt);
  const estimated = prompt === undefined ? undefined : estimateTokens(model, prompt, match);
  const window = positive(input.contextLength);
  const cut = estimated !== undefined && window !== undefined && estimated > window;
  const inputTokens = cut ? tokensLeft({ window, estimated, prompt, turn: match?.turn }) : estimated;
  const held = inputTokens === undefined ? 0 : heldTokens(input, model, { match, inputTokens, cut });
  return {
    prompt,
    inputTokens,
    outputTokens: expectedOutput(input, model),
    cachedTokens: held,
    certainty: certaintyOf(input, match),
    earlier: match?.turn,
    returned: match !== undefined && !match.latest,
    cut,
    displacedTokens: displacedBy(match, model, { held, cut }),
  };
}

/** What the slot held of another prompt. A conversation that comes back gives up its own stored copy for it. */
function displacedBy(
  match: PrefixMatch | undefined,
  { prefixes }: LearnedModel,
  { held, cut }: { held: number; cut: boolean },
): number {
  const latest = prefixes.latest();
  if (latest === undefined || (match?.latest === true && !cut)) {
    return 0;
  }
  return Math.max(0, latest.inputTokens + latest.outputTokens - held);
}

function promptOf({ request }: GuessInput): GuessBasis["prompt"] {
  const { textBytes, messageCount = 0, imageCount = 0 } = request;
  const known =
    request.unread === undefined && isCount(textBytes) && isCount(messageCount) && isCount(imageCount);
  return known ? { textBytes, messageCount, imageCount } : undefined;
}

function matchOf(
  { earlier }: GuessInput,
  { prefixes }: LearnedModel,
  prompt: NonNullable<GuessBasis["prompt"]>,
): PrefixMatch | undefined {
  return earlier === undefined
    ? prefixes.match(prompt)
    : { turn: earlier, repeated: false, latest: isLatest(earlier, prefixes.latest()) };
}

function isLatest(turn: EarlierTurn, latest: EarlierTurn | undefined): boolean {
  return (
    latest === undefined || (turn.textBytes === latest.textBytes && turn.messageCount === latest.messageCount)
  );
}

function estimateTokens(
  { tokens }: LearnedModel,
  prompt: NonNullable<GuessBasis["prompt"]>,
  match: PrefixMatch | undefined,
): number {
  if (match === undefined || match.turn.cut === true) {
    return tokens.estimate(prompt);
  }
  return match.repeated ? match.turn.inputTokens : tokens.estimate(prompt, match.turn);
}

/**
 * What is left of a prompt that does not fit. Whole messages go, oldest first, until the rest fits: so about one
 * message's worth stays empty, and the same again in the next turn.
 */
function tokensLeft(parts: {
  window: number;
  estimated: number;
  prompt: GuessBasis["prompt"];
  turn?: EarlierTurn;
}): number {
  const { window, estimated, prompt, turn } = parts;
  if (turn?.cut === true && turn.inputTokens <= window) {
    return turn.inputTokens;
  }
  const messages = prompt?.messageCount ?? 0;
  return messages < 3 ? window : Math.max(1, Math.round(Math.max(window / 2, window - estimated / messages)));
}

function heldTokens(
  input: GuessInput,
  model: LearnedModel,
  { match, inputTokens, cut }: { match?: PrefixMatch; inputTokens: number; cut: boolean },
): number {
  // The last token is always computed: the first one of the answer comes out of it.
  const most = Math.max(0, inputTokens - 1);
  if (isCount(input.cachedTokens)) {
    return Math.min(input.cachedTokens, most);
  }
  if (match === undefined || cut || input.loaded === false) {
    return 0;
  }
  const kept = match.latest
    ? match.repeated || continuationIsHeld(model.reuseShare)
    : (model.returnsAreCached ?? input.promptCache ?? USUAL_RETURNS_ARE_CACHED);
  const held = match.repeated ? most : match.turn.inputTokens + match.turn.outputTokens - 1;
  return kept ? Math.min(Math.max(0, held), most) : 0;
}

function certaintyOf(input: GuessInput, match: PrefixMatch | undefined): GuessBasis["certainty"] {
  if (input.cachedTokens === 0 || input.loaded === false) {
    return "sure";
  }
  return match === undefined && !isCount(input.cachedTokens) ? "unsure" : "likely";
}

function expectedOutput({ request }: GuessInput, { recent }: LearnedModel): number | undefined {
  const limit = positive(request.maxOutputTokens);
  const usual = recent.outputTokens.median();
  return usual === undefined ? limit : Math.max(1, Math.round(Math.min(usual, limit ?? usual)));
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value < 1e12;
}

function positive(value: number | undefined): number | undefined {
  return isCount(value) && value >= 1 ? value : undefined;
}
