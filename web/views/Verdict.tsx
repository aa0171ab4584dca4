import type { Episode, MemorySample } from "../../src/types.ts";
import { bandKinds, bandLabels, loadLineBytes, stackBytes } from "../bands.ts";
import type { BandBytes } from "../bands.ts";
import { formatBytes, formatTime } from "../format.ts";
import { bandsNow, episodes, forecast, health, live, now, sample, verdict } from "../store.ts";
import { causeWords, episodeWords, memorySentence, outcomeWords, stateWord, statements } from "../words.ts";
import { Remedies } from "./Remedies.tsx";

/** Is memory safe, and what goes on: one word, one sentence, one gauge; below them only what is wrong. */
export function Verdict() {
  const shown = sample.value;
  const word = stateWord(verdict.value, live.value);
  // What happens already is not foretold.
  const ahead = word === "swapping" ? undefined : forecast.value;
  const sentence = shown && memorySentence(shown, ahead);
  return (
    <section class="verdict" aria-label="Verdict" data-level={verdict.value?.level ?? "unknown"}>
      <p class="badge" data-state={word}>
        {word}
      </p>
      <p class="sentence">{sentence ?? (verdict.value?.text || "Waiting for the first figures")}</p>
      {shown && bandsNow.value && <Gauge sample={shown} bytes={bandsNow.value} />}
      <Alert />
      <Statements />
    </section>
  );
}

/** The machine's memory as a ship's side: what lies in it, and how far it is to the line. */
function Gauge({ sample, bytes }: { sample: MemorySample; bytes: BandBytes }) {
  const total = sample.totalBytes;
  if (!total) return null;
  const line = loadLineBytes(sample, stackBytes(bytes));
  const shown = bandKinds.filter((kind) => bytes[kind] > 0);
  const text = shown.map((kind) => `${bandLabels[kind]} ${formatBytes(bytes[kind])}`).join(", ");
  return (
    <div class="gauge" role="img" aria-label={`Memory of ${formatBytes(total)}: ${text}`}>
      {shown.map((kind) => (
        <i key={kind} class={`band-${kind}`} style={{ width: `${(bytes[kind] / total) * 100}%` }} />
      ))}
      {line !== undefined && <i class="line" style={{ left: `${Math.min(100, (line / total) * 100)}%` }} />}
    </div>
  );
}

const levels: Episode["level"][] = ["watch", "warn", "critical", "swapping", "thrashing"];
/** How long the end of an episode is told of. */
const afterwardsMs = 5 * 60_000;

/** The worst episode that is open, with its first fix; or the one that has just ended. */
function Alert() {
  const open = episodes.value
    .filter((episode) => episode.endedAt === undefined)
    .toSorted((a, b) => levels.indexOf(b.level) - levels.indexOf(a.level));
  const worst = open[0];
  if (!worst) return <Afterwards />;
  const { level, currentLevel, drill } = worst;
  const urgent = levels.indexOf(level) > 0;
  return (
    <div class="alert" data-level={level} role={urgent ? "alert" : "status"}>
      <b>
        {drill ? "drill · " : ""}
        {currentLevel && currentLevel !== "ok" ? currentLevel : level}
      </b>
      <div>
        <p>
          {episodeWords(worst)} <span class="dim">{causeWords(worst)}</span>{" "}
          {open.length > 1 && <a href="#alerts">and {open.length - 1} more</a>}
        </p>
        <Remedies remedies={steady(worst)} only={1} />
      </div>
    </div>
  );
}

let shown: { episode?: string; remedy?: string } = {};

/**
 * The fix that is shown stays the first while it still is one and nothing got worse: a button must not change under the hand that reaches
 * for it.
 */
function steady({ id, level, remedies }: Episode): Episode["remedies"] {
  const kept =
    shown.episode === id + level ? remedies.find((remedy) => remedy.id === shown.remedy) : undefined;
  const first = kept ?? remedies[0];
  shown = { episode: id + level, remedy: first?.id };
  return first ? [first, ...remedies.filter((remedy) => remedy !== first)] : remedies;
}

function Afterwards() {
  const last = episodes.value.find(
    ({ endedAt }) => endedAt !== undefined && now.value - endedAt < afterwardsMs,
  );
  if (!last) return null;
  return (
    <p class="afterwards" role="status">
      The {last.drill ? "drill" : "alert"} of {formatTime(last.startedAt)} ended at{" "}
      {formatTime(last.endedAt ?? 0)}: {outcomeWords(last)}. <a href="#alerts">See it</a>
    </p>
  );
}

function Statements() {
  const said = statements(health.value);
  return (
    <ul class="statements" role="status" aria-label="Notes">
      {said.map((statement) => (
        <li key={statement.text} data-level={statement.level}>
          {statement.text}
        </li>
      ))}
    </ul>
  );
}
