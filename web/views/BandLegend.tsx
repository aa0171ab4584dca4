import { bytesAt } from "../chartWords.ts";
import { formatBytes } from "../format.ts";
import type { Series } from "../series.ts";
import { Mark } from "./Mark.tsx";

/** The chart's key, with the bytes under the cursor, or the latest. */
export function BandLegend({ series, at }: { series: Series; at: number | undefined }) {
  const bytes = bytesAt(series, at);
  return (
    <ul class="bands">
      {series.bands.map((band, index) => (
        <li key={band.label}>
          <i class={`swatch ${band.kind} hue-${band.hue}`} />
          <span class="name" dir="auto">
            {band.label}
          </span>
          <b>{formatBytes(bytes?.[index])}</b>
          <Mark from={band.kind === "other" ? "derived" : "measured"} />
        </li>
      ))}
    </ul>
  );
}
