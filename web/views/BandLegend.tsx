import { bandLabels } from "../bands.ts";
import { bytesAt } from "../chartWords.ts";
import { formatBytes } from "../format.ts";
import type { Series } from "../series.ts";
import { Mark } from "./Mark.tsx";

/** The chart's key, with the bytes under the cursor, or the latest. */
export function BandLegend({ series, at }: { series: Series; at: number | undefined }) {
  const bytes = bytesAt(series, at);
  const limit = series.promptCacheLimitBytes;
  return (
    <ul class="bands">
      {series.kinds.map((kind, index) => (
        <li key={kind}>
          <i class={`swatch band-${kind}`} />
          <span class="dim">{bandLabels[kind]}</span>
          <b>{formatBytes(bytes?.[index])}</b>
          {kind === "promptCache" && limit !== undefined && <span class="dim">of {formatBytes(limit)}</span>}
          <Mark from="derived" />
        </li>
      ))}
    </ul>
  );
}
