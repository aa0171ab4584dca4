/** What the guard says: to the client in its error, to the page in a notice. Pure. */
import { bytesText, nameText } from "../../predict/figureText.ts";
import { createRemedies } from "../../predict/remedies.ts";
import type { Dialect, Remedy } from "../../types.ts";

/** A load that does not fit, with its figures; bytes of the host's memory. */
export interface Finding {
  model: string;
  dialect: Dialect;
  /** The context that the load would have. */
  contextLength: number;
  needBytes: number;
  /** Free for it, with what it replaces. */
  freeBytes: number;
  shortBytes: number;
  /** The longest context that fits; absent when none does. */
  fittingContextLength?: number | undefined;
  /** The largest other model that is loaded and idle. */
  idleModel?: { name: string; bytes: number } | undefined;
}

const OVERRIDE = 'Send the header "X-Plimsoll-Override: allow" to load it all the same.';

/** What is short and what fits. */
export function shortText(finding: Finding): string {
  const { model, contextLength, needBytes, freeBytes, shortBytes } = finding;
  return (
    `${nameText(model)} with a context of ${contextLength} needs ${bytesText(needBytes)}, and ` +
    `${bytesText(Math.max(0, freeBytes))} are free before this machine swaps: ${bytesText(shortBytes)} short. ` +
    fittingText(finding)
  );
}

/** The client's error: what is short, what would fit, and how to insist. */
export function refusalText(finding: Finding): string {
  return `Plimsoll's guard refused to load this: ${shortText(finding)} ${OVERRIDE}`;
}

/** `why`: where the context that was given comes from. */
export function cappedText(finding: Finding, contextLength: number, why: "loaded" | "fits" | "kept"): string {
  const reason = {
    loaded: "which is loaded",
    fits: "the largest power of two that fits",
    kept: "as before, until the model unloads",
  }[why];
  return `num_ctx ${finding.contextLength} was lowered to ${contextLength}, ${reason}, by Plimsoll's guard. ${shortText(finding)}`;
}

/** For a request that was held to an earlier cap without being judged anew. */
export function keptText(model: string, asked: number, contextLength: number): string {
  return `num_ctx ${asked} of ${nameText(model)} was lowered to ${contextLength} by Plimsoll's guard, as before, until the model unloads.`;
}

/** A context that fits, else a smaller model; and unloading what is idle. */
export function remediesFor(finding: Finding, ollamaVersion: string | undefined): Remedy[] {
  const remedies = createRemedies(ollamaVersion === undefined ? {} : { ollamaVersion });
  const { model, dialect, fittingContextLength, idleModel } = finding;
  return [
    ...(fittingContextLength === undefined
      ? [remedies.smallerModel({ model })]
      : [remedies.smallerContext({ model, contextLength: fittingContextLength, dialect })]),
    ...(idleModel === undefined
      ? []
      : [remedies.stopModel({ model: idleModel.name, savesBytes: idleModel.bytes })]),
  ].filter((remedy) => remedy !== undefined);
}

function fittingText({ fittingContextLength, dialect, idleModel }: Finding): string {
  const unload =
    idleModel === undefined
      ? ""
      : ` Unloading ${nameText(idleModel.name)} would give back ${bytesText(idleModel.bytes)}.`;
  if (fittingContextLength === undefined) {
    return `No context of this model fits.${unload}`;
  }
  const how = dialect === "ollama" ? "A num_ctx" : "A context";
  return `${how} of ${fittingContextLength} fits.${unload}`;
}
