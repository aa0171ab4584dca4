import type { Episode, Forecast, Health, MemorySample, NoticeKind, Stage, Verdict } from "../src/types.ts";
import { usedBytes } from "./bands.ts";
import { formatBytes, formatCount, formatElapsed, formatGib, formatSoon } from "./format.ts";
import { stageOf } from "./stages.ts";
import type { LiveExchange } from "./state.ts";

/** Sentences of the page. Pure, so that they can be read and tested in one place. */

export interface Statement {
  level: "quiet" | "warn" | "bad";
  text: string;
}

/**
 * `21.4 of 32 GiB used · 6.2 GiB before swap · at this pace in about 14 min or 9 turns`. Absent when the sample does not tell.
 */
export function memorySentence(sample: MemorySample, forecast?: Forecast): string | undefined {
  const used = usedBytes(sample);
  if (used === undefined || sample.totalBytes === undefined) return undefined;
  const parts = [`${formatGib(used)} of ${formatGib(sample.totalBytes)} GiB used`];
  if (sample.headroomBytes !== undefined)
    parts.push(headroomWords(sample.headroomBytes, sample.swapTotalBytes));
  const pace = (sample.headroomBytes ?? 0) > 0 && paceWords(forecast);
  if (pace) parts.push(`at this pace in ${pace}`);
  return parts.join(" · ");
}

/** What is further away than this will have changed by then: nobody acts on it. */
const farSeconds = 6 * 3600;
const farTurns = 99;

/** `about 14 min or 9 turns`. */
function paceWords(forecast: Forecast | undefined): string | undefined {
  const seconds = forecast?.secondsToSwap?.predicted;
  const turns = forecast?.turnsToSwap?.predicted;
  const said = [
    seconds === undefined || seconds > farSeconds ? undefined : `about ${formatSoon(seconds)}`,
    turns === undefined || turns > farTurns ? undefined : turnWords(turns),
  ].filter((words) => words !== undefined);
  return said.length > 0 ? said.join(" or ") : undefined;
}

/** `1 turn`, `9 turns`. */
export function turnWords(turns: number): string {
  const whole = Math.max(0, Math.round(turns));
  return `${formatCount(whole)} ${whole === 1 ? "turn" : "turns"}`;
}

/** What an episode says in one line; the server's own words where it has some. */
export function episodeWords(episode: Episode): string {
  return episode.text ?? "Memory is running short.";
}

/** What takes the memory: `By prompt cache 6 GiB, weights 4 GiB.` Empty where nothing is known. */
export function causeWords({ causes }: Episode): string {
  if (causes.length === 0) return "";
  return `By ${causes.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(", ")}.`;
}

/** How an episode went: `warned 41 s before swap`, `false alarm`, `still open`. */
export function outcomeWords({ endedAt, outcome, leadSeconds, swapAt }: Episode): string {
  const lead = leadSeconds === undefined ? undefined : formatElapsed(leadSeconds * 1000);
  if (outcome === "false-alarm") return "false alarm";
  if (outcome === "hit" || swapAt !== undefined)
    return lead ? `swap came, warned ${lead} before` : "swap came";
  return endedAt === undefined ? "still open" : "ended without swap";
}

/** What the browser's tab says: the two things one looks for without opening it. */
export function titleWords(word: string, sample: MemorySample | undefined): string {
  const headroom = sample?.headroomBytes;
  const parts = headroom === undefined ? [word] : [word, headroomWords(headroom, sample?.swapTotalBytes)];
  return `${parts.join(" · ")} – Plimsoll`;
}

/** `705 MiB before swap`, `0.2 GiB past the load line`. */
export function headroomWords(headroomBytes: number, swapTotalBytes: number | undefined): string {
  // Without swap nothing is swapped: programs are ended, and mapped weights are read from disk again and again.
  const what = swapTotalBytes === 0 ? "memory runs out" : "swap";
  if (headroomBytes >= 0) return `${formatBytes(headroomBytes)} before ${what}`;
  return `${formatBytes(-headroomBytes)} past the load line`;
}

const stageOrder: Stage[] = ["decoding", "prefill", "loading", "queued"];

/** The one word for what goes on: of several exchanges, the one that is furthest. */
export function stateWord(verdict: Verdict | undefined, live: readonly LiveExchange[]): string {
  if (verdict === undefined) return "connecting";
  if (verdict.state === "swapping") return "swapping";
  const stages = new Set(live.map(({ exchange }) => stageOf(exchange)));
  const furthest = stageOrder.find((stage) => stages.has(stage));
  return furthest ?? (live.length > 0 ? "busy" : verdict.state === "unknown" ? "unknown" : "idle");
}

/** What is wrong or worth knowing, plainly, worst first. */
export function statements(health: Health | undefined): Statement[] {
  if (health === undefined) return [];
  const { upstream, recorder, sampler } = health;
  const found: Statement[] = [];
  if (!upstream.reachable) {
    const silent = `Ollama does not answer at ${upstream.url}.`;
    const { problem = silent, url, fix } = upstream;
    const text = problem.includes(url) ? sentence(problem) : join(silent, problem);
    found.push({ level: "bad", text: join(text, fix) });
  }
  if (recorder.state === "off") found.push({ level: "warn", text: offBecause(recorder.problem) });
  if (recorder.state === "stalled") {
    found.push({
      level: "warn",
      text: `The disk does not answer: ${formatCount(recorder.pending)} rows wait to be recorded.`,
    });
  }
  if (recorder.dropped > 0) {
    found.push({ level: "warn", text: `${formatCount(recorder.dropped)} rows could not be recorded.` });
  }
  if (sampler.state === "remote") {
    found.push({
      level: "quiet",
      text: `Ollama runs at ${upstream.url}: the memory of that host is not visible from here.`,
    });
  }
  if (sampler.state === "off") found.push({ level: "warn", text: "Memory is not measured." });
  if (sampler.state === "replay")
    found.push({ level: "quiet", text: "Memory is played back from a recording." });
  for (const problem of sampler.problems) found.push({ level: "quiet", text: sentence(problem) });
  if (recorder.state === "memory") {
    found.push({ level: "quiet", text: "Nothing is kept on disk: history ends when Plimsoll stops." });
  } else if (recorder.state === "on" && recorder.problem) {
    found.push({ level: "warn", text: sentence(recorder.problem) });
  }
  return found;
}

function offBecause(problem: string | undefined): string {
  return problem ? sentence(`Recording is off because ${problem}`) : "Recording is off.";
}

function join(first: string, second: string | undefined): string {
  return second ? `${first} ${sentence(second)}` : first;
}

function sentence(text: string): string {
  const capital = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** A notice in two or three words. */
export const noticeWords: Record<NoticeKind, string> = {
  truncated: "prompt cut",
  "messages-dropped": "messages dropped",
  "context-shifted": "context shifted",
  "context-full": "context full",
  "prompt-too-long": "prompt too long",
  "context-reduced": "context reduced",
  reloaded: "reloaded",
  queued: "queued",
  "ended-early": "ended early",
  "upstream-error": "upstream error",
  "estimated-usage": "tokens estimated",
  "cliff-ahead": "cliff ahead",
  cliff: "over the cliff",
  "would-swap": "would swap",
  "guard-acted": "guard acted",
  retried: "retried",
};

/** Notices that mean the answer is not what was asked for. */
export const seriousNotices: ReadonlySet<NoticeKind> = new Set([
  "truncated",
  "messages-dropped",
  "context-shifted",
  "context-full",
  "prompt-too-long",
  "ended-early",
  "upstream-error",
  "cliff",
  "would-swap",
]);
