/** What would have kept everything, and whether this machine has room for it. */
import type { Remedies, RemedyFigures } from "../predict/remedies.ts";
import type { Exchange } from "../types.ts";
import type { Cure } from "./notices.ts";
import { windowFor } from "./windowNeeded.ts";

export interface CureParts {
  remedies(): Remedies;
  /** What another window costs on this machine. */
  larger(model: string, contextLength: number): RemedyFigures | undefined;
}

export interface CureFacts {
  exchange: Exchange;
  contextLength?: number;
  trainedContextLength?: number;
  /** The turn from which the chat is slow. */
  atTurn?: number;
  waitMs?: number;
  bytesPerTurn?: number;
}

/**
 * First of which exchange, then how many tokens would have had to fit. No larger context where the model was not
 * trained for one.
 */
export function createCures(parts: CureParts): (facts: CureFacts) => (tokens: number) => Cure {
  return ({ exchange, contextLength, trainedContextLength, atTurn, waitMs, bytesPerTurn }) =>
    (tokens) => {
      const remedies = parts.remedies();
      const larger =
        contextLength === undefined ? undefined : windowFor(tokens, { contextLength, trainedContextLength });
      const fresh = atTurn === undefined ? [] : [remedies.freshChat({ turn: atTurn, waitMs, bytesPerTurn })];
      const { model, dialect } = exchange;
      if (larger === undefined || model === undefined) {
        return { remedies: fresh };
      }
      const figures = parts.larger(model, larger);
      return {
        contextLength: larger,
        remedies: [remedies.largerContext({ model, contextLength: larger, dialect, ...figures }), ...fresh],
      };
    };
}
