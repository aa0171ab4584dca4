/** `plimsoll accuracy`: how good the predictions of the last seven days were, as the running Plimsoll has scored them. */
import type { AccuracySummary, Score } from "../predict/accuracy.ts";
import { bytesText, countText } from "../predict/figureText.ts";
import type { ForecastScore } from "../predict/forecastScore.ts";
import { ownUrl } from "./address.ts";
import { askRunning } from "./askRunning.ts";
import { EXIT } from "./exit.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";

export const accuracy: Command = {
  summary: "how good the predictions of the last seven days were",
  usage: `plimsoll accuracy [--json] [--listen HOST:PORT] [--token TOKEN]

Median and p90 of the error, bias and number of predictions, for each kind of figure and each model. Only predictions made
beforehand count. Asks the running Plimsoll.`,
  async run(args) {
    const { config, flags } = readSettings(args, { json: { type: "boolean" } });
    const reply = await askRunning(config, "accuracy");
    if (reply === undefined || reply.refusal !== undefined) {
      const nobody = `no Plimsoll answers at ${ownUrl(config.listen)}; start it, or name it with --listen.`;
      remark(`plimsoll accuracy: ${reply?.refusal ?? nobody}\n`);
      return EXIT.failed;
    }
    const summary = reply.body as AccuracySummary & { forecast?: ForecastScore[] };
    if (flags["json"] === true) sayJson(summary);
    else say(accuracyText(summary) + forecastText(summary.forecast ?? []));
    return EXIT.good;
  },
};

/** The page's words for the same figures. */
const KINDS: Record<string, string> = {
  inputTokens: "input tokens",
  contextTokensUsed: "context",
  prefillMs: "prefill",
  firstTokenMs: "first token",
  decodeTokensPerSecond: "tok/s",
  runnerBytes: "memory after a turn",
  grownBytes: "memory a turn adds",
  cliffTurn: "turn of the cliff",
  cliffPrefillMs: "prefill past the cliff",
  cliffBytes: "memory a turn adds past it",
  totalBytes: "memory after a load",
  weightsBytes: "weights",
  kvCacheBytes: "KV cache",
  computeBytes: "compute",
};

export function accuracyText({ overall, models }: AccuracySummary): string {
  const head = `${"".padEnd(36)}${["n", "median", "p90", "bias"].map((word) => word.padStart(10)).join("")}`;
  const blocks = [{ model: "all models", scores: overall }, ...models];
  const nameOf = (kind: string): string => KINDS[kind] ?? kind;
  const lines = blocks.flatMap(({ model, scores }) => [
    model,
    ...Object.entries(scores).map(([kind, score]) => `  ${nameOf(kind).padEnd(34)}${figures(score)}`),
  ]);
  return Object.keys(overall).length === 0
    ? "No prediction has come to its end yet: chat through Plimsoll for a while.\n"
    : `${[head, ...lines].join("\n")}\n`;
}

/** Forecasts of headroom since the start, beside "it stays as it is". */
export function forecastText(scores: readonly ForecastScore[]): string {
  return scores
    .map(
      ({ atSeconds, n, meanErrorBytes, unchangedErrorBytes }) =>
        `headroom ${atSeconds} s ahead: ${countText(n, "forecast")}, off by ${bytesText(meanErrorBytes)} on average; taking it to stay as it was: ${bytesText(unchangedErrorBytes)}\n`,
    )
    .join("");
}

function figures(score: Score): string {
  const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`.padStart(10);
  const bias = signed(score.biasRatio).padStart(10);
  return `${String(score.n).padStart(10)}${percent(score.medianErrorRatio)}${percent(score.p90ErrorRatio)}${bias}`;
}

/** `+4.2 %`; what rounds to nothing has no sign. */
function signed(ratio: number): string {
  const text = `${(ratio * 100).toFixed(1)} %`;
  return /^-?0\.0 /.test(text) ? "0.0 %" : ratio > 0 ? `+${text}` : text.replace("-", "−");
}
