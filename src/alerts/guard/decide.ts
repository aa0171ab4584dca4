/** What the guard does about a load that does not fit. Pure. */
import type { GuardDecision, Notice } from "../../types.ts";
import type { Foreseen } from "./foresight.ts";
import { cappedText, refusalText, remediesFor, shortText } from "./words.ts";

/** `observe` and `warn` only write on the exchange; `refuse` and `cap` hold a request back until it is judged. */
export type GuardMode = "off" | "observe" | "warn" | "refuse" | "cap";

/** A shorter context than this is no use to anybody. */
const SHORTEST_CAP = 256;

/**
 * `note`: it goes on as it came, with a notice. So does, in mode `cap`, all that named no context itself over Ollama's
 * own API, or for which none fits.
 */
export function decide(
  mode: "refuse" | "cap",
  foreseen: Foreseen,
  request: {
    explicitContextLength?: number | undefined;
    overridden: boolean;
    ollamaVersion?: string | undefined;
  },
): GuardDecision | { act: "note"; notice: Notice } {
  const { dialect, shortBytes, fittingContextLength } = foreseen;
  const remedies = remediesFor(foreseen, request.ollamaVersion);
  const note = { act: "note", notice: wouldSwap(foreseen, request.ollamaVersion) } as const;
  const cap =
    mode === "cap" && dialect === "ollama" && request.explicitContextLength !== undefined
      ? capFor(foreseen, request.explicitContextLength)
      : undefined;
  if (mode === "cap" && cap === undefined) {
    return note;
  }
  if (request.overridden) {
    const message = `The guard was overridden by the request. ${shortText(foreseen)}`;
    return { act: "allow", notice: { kind: "guard-acted", message, bytes: shortBytes, remedies } };
  }
  if (cap === undefined) {
    const message = refusalText(foreseen);
    const notice: Notice = { kind: "guard-acted", message, bytes: shortBytes, remedies };
    if (fittingContextLength !== undefined) {
      notice.contextLength = fittingContextLength;
    }
    return { act: "refuse", message, notice };
  }
  const message = cappedText(foreseen, cap.contextLength, cap.why);
  return {
    act: "cap",
    contextLength: cap.contextLength,
    notice: { kind: "guard-acted", message, bytes: shortBytes, contextLength: cap.contextLength, remedies },
  };
}

/** What is put on an exchange that goes on as it came. */
export function wouldSwap(foreseen: Foreseen, ollamaVersion: string | undefined): Notice {
  return {
    kind: "would-swap",
    message: shortText(foreseen),
    bytes: foreseen.shortBytes,
    remedies: remediesFor(foreseen, ollamaVersion),
    ...(foreseen.fittingContextLength !== undefined && { contextLength: foreseen.fittingContextLength }),
  };
}

/** What is loaded costs nothing at all; else the largest power of two that fits. */
function capFor(
  { loadedContextLength, fittingContextLength }: Foreseen,
  asked: number,
): { contextLength: number; why: "loaded" | "fits" } | undefined {
  if (loadedContextLength !== undefined && loadedContextLength <= asked) {
    return { contextLength: loadedContextLength, why: "loaded" };
  }
  const power = fittingContextLength === undefined ? 0 : 2 ** Math.floor(Math.log2(fittingContextLength));
  return power >= SHORTEST_CAP && power < asked ? { contextLength: power, why: "fits" } : undefined;
}
