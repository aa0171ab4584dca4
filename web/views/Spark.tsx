import type { Conversation, Exchange } from "../../src/types.ts";
import { wasCut } from "../chats.ts";
import { formatCount } from "../format.ts";
import { cursorAt } from "../store.ts";

const width = 160;
const height = 26;
const turnsShown = 48;
const turnsAheadShown = 8;

/** How full the context was after each turn, against the window; cut turns marked; the turns that still fit as empty bars. */
export function Spark({ conversation, turns }: { conversation: Conversation; turns: readonly Exchange[] }) {
  const shown = turns.slice(-turnsShown);
  const window = conversation.contextLength ?? Math.max(0, ...shown.map((turn) => turn.contextLength ?? 0));
  const fills = shown.map((turn) => turn.contextTokensUsed ?? turn.prediction?.contextTokensUsed?.predicted);
  const ahead = aheadOf(conversation, window);
  const top = Math.max(window, ...fills.map((fill) => fill ?? 0), 1);
  const step = Math.min(14, width / Math.max(1, shown.length + ahead.length));
  const bar = Math.max(1, step - 1.5);
  const y = (tokens: number): number => height - (tokens / top) * (height - 4);
  const rect = (index: number, tokens: number): string =>
    `M${(index * step).toFixed(1)} ${height}V${y(tokens).toFixed(1)}h${bar.toFixed(1)}V${height}z`;
  if (shown.length === 0) return <span class="spark" />;
  const cursor = cursorAt.value;
  const at = cursor === undefined ? -1 : shown.findLastIndex((turn) => turn.startedAt <= cursor);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Context after each of ${shown.length} turns, the last ${formatCount(fills.at(-1))} of ${formatCount(window)} tokens, ${shown.filter(wasCut).length} cut`}
    >
      <path class="fill" d={fills.map((tokens, index) => (tokens ? rect(index, tokens) : "")).join("")} />
      <path
        class="ahead"
        d={ahead.map((tokens, index) => rect(shown.length + index, Math.min(tokens, top))).join("")}
      />
      {window > 0 && <path class="window" d={`M0 ${y(window)}H${width}`} />}
      <path
        class="cut"
        d={shown
          .map((turn, index) => (wasCut(turn) ? `M${index * step} 0h${bar}l${-bar / 2} 5z` : ""))
          .join("")}
      />
      {at >= 0 && <path class="at" d={`M${at * step + bar / 2} 0V${height}`} />}
    </svg>
  );
}

/** Tokens after each of the next turns, while they fit. */
function aheadOf({ tokensPerTurn, contextTokensUsed }: Conversation, window: number): number[] {
  const step = tokensPerTurn?.predicted;
  if (!step || step <= 0 || contextTokensUsed === undefined) return [];
  const count = Math.min(turnsAheadShown, Math.floor((window - contextTokensUsed) / step));
  return Array.from({ length: Math.max(0, count) }, (_, index) => contextTokensUsed + (index + 1) * step);
}
