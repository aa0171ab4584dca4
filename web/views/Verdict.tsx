import { bandBytes, loadLineBytes } from "../bands.ts";
import { formatBytes } from "../format.ts";
import { bands, health, live, sample, verdict } from "../store.ts";
import type { MemorySample } from "../../src/types.ts";
import { memorySentence, stateWord, statements } from "../words.ts";

/** Is memory safe, and what goes on: one word, one sentence, one gauge; below them only what is wrong. */
export function Verdict() {
  const shown = sample.value;
  const word = stateWord(verdict.value, live.value);
  const sentence = (shown && memorySentence(shown)) ?? verdict.value?.text ?? "Waiting for the first figures";
  return (
    <section class="verdict" aria-label="Verdict" data-level={verdict.value?.level ?? "unknown"}>
      <p class="badge" data-state={word}>
        {word}
      </p>
      <p class="sentence">{sentence}</p>
      {shown && <Gauge sample={shown} />}
      <Statements />
    </section>
  );
}

/** The machine's memory as a ship's side: what lies in it, and how far it is to the line. */
function Gauge({ sample }: { sample: MemorySample }) {
  const layers = bands.value;
  const bytes = bandBytes(sample, layers);
  const total = sample.totalBytes;
  if (!bytes || !total) return null;
  const stack = bytes.reduce((sum, part) => sum + part, 0);
  const line = loadLineBytes(sample, stack);
  const text = layers.map((band, index) => `${band.label} ${formatBytes(bytes[index])}`).join(", ");
  return (
    <div class="gauge" role="img" aria-label={`Memory of ${formatBytes(total)}: ${text}`}>
      {layers.map((band, index) => (
        <i
          key={band.label}
          class={`fill ${band.kind} hue-${band.hue}`}
          style={{ width: `${((bytes[index] ?? 0) / total) * 100}%` }}
        />
      ))}
      {line !== undefined && <i class="line" style={{ left: `${Math.min(100, (line / total) * 100)}%` }} />}
    </div>
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
