import type { Exchange, Load, NoticeKind } from "../src/types.ts";
import { formatCount } from "./format.ts";
import { noticeWords } from "./words.ts";

/** Something that happened at a moment and belongs on the chart. */
export interface ChartMark {
  at: number;
  kind: "load" | "reload" | "cut" | "cliff";
  text: string;
}

const cuts: ReadonlySet<NoticeKind> = new Set(["truncated", "messages-dropped", "context-shifted"]);

/** The marks of a window, oldest first. `causes` that are no `first` load are reloads: something was thrown away for them. */
export function chartMarks(
  loads: readonly Load[],
  ended: readonly Exchange[],
  from: number,
  to: number,
): ChartMark[] {
  const marks: ChartMark[] = loads.map((load) => ({
    at: load.startedAt,
    kind: isReload(load) ? "reload" : "load",
    text: loadWords(load),
  }));
  for (const exchange of ended) {
    for (const notice of exchange.notices) {
      const isCut = cuts.has(notice.kind);
      if (!isCut && notice.kind !== "cliff") continue;
      const lost = notice.tokensLost ? ` −${formatCount(notice.tokensLost)} tokens` : "";
      const who = exchange.model ? `, ${exchange.model}` : "";
      marks.push({
        at: exchange.startedAt,
        kind: isCut ? "cut" : "cliff",
        text: `${noticeWords[notice.kind]}${lost}${who}`,
      });
    }
  }
  return marks.filter(({ at }) => at >= from && at <= to).toSorted((a, b) => a.at - b.at);
}

/** Since when all marks are known: a list that is full says nothing of what was before its oldest. Undefined: all of them are. */
export function marksKnownSince(
  loads: readonly Load[],
  ended: readonly Exchange[],
  most: { loads: number; ended: number },
): number | undefined {
  const oldest = [
    ...(loads.length < most.loads ? [] : loads.slice(-1)),
    ...(ended.length < most.ended ? [] : ended.slice(-1)),
  ].map(({ startedAt }) => startedAt);
  return oldest.length === 0 ? undefined : Math.max(...oldest);
}

/** Its runner had been there before. A cause is unknown too where a runner was found at the start, for nobody's request. */
export function isReload({ cause, exchangeId }: Load): boolean {
  return cause === "unknown" ? exchangeId !== undefined : cause !== "first";
}

const causeWords: Record<Load["cause"], string> = {
  first: "loaded",
  options: "reloaded for other settings",
  expired: "loaded again after it expired",
  evicted: "loaded again after another model took its place",
  crashed: "loaded again after a crash",
  restarted: "loaded again after Ollama was restarted",
  unknown: "loaded again; why its runner went was not seen",
};

/** `qwen2.5-coder:1.5b reloaded for other settings: contextLength 4,096 → 16,384`. */
export function loadWords(load: Load): string {
  const changes = changeWords(load);
  const cause = isReload(load) ? (causeWords[load.cause] ?? load.cause) : causeWords.first;
  return `${load.model} ${cause}${changes && `: ${changes}`}${whoWords(load)}`;
}

/** The same without the model, as a row of a table has room for it. */
export function shortLoadWords(load: Load): string {
  const usual = !isReload(load) || load.cause === "options";
  return `${changeWords(load) || (usual ? "" : (causeWords[load.cause] ?? load.cause))}${whoWords(load)}`;
}

function changeWords({ differences = [] }: Load): string {
  return differences
    .map(({ option, from, to }) => `${option} ${numberWords(from)} → ${numberWords(to)}`)
    .join(", ");
}

/** Who wanted other settings did it; who waited for what had gone did not. */
function whoWords({ cause, client, previousClient }: Load): string {
  if (!client) return "";
  const blamed = cause === "first" || cause === "options";
  const after = previousClient && previousClient !== client ? `, after ${previousClient}` : "";
  return `${blamed ? " by" : ", for"} ${client}${after}`;
}

function numberWords(value = "–"): string {
  return /^\d{4,}$/.test(value) ? formatCount(Number(value)) : value;
}
