import type { Predicted } from "../../src/types.ts";
import { formatRate } from "../format.ts";
import { Mark } from "./Mark.tsx";

/** How fast it goes beside how fast it should: a dot on a scale, the expected range as a bar, its middle as a tick. */
export function RateGauge({ rate, expected }: { rate: number | undefined; expected: Predicted | undefined }) {
  const { predicted, low = predicted, high = predicted } = expected ?? {};
  const top = Math.max(rate ?? 0, high ?? 0) * 1.15;
  const place = (value: number): string => `${(value / top) * 100}%`;
  return (
    <div class="rate">
      <span class="figure">
        <b>{formatRate(rate)}</b> tok/s <Mark from="derived" />
      </span>
      {predicted !== undefined && low !== undefined && high !== undefined && (
        <>
          <span class="scale" aria-hidden="true">
            <i class="range" style={{ left: place(low), right: `${100 - (high / top) * 100}%` }} />
            <i class="tick" style={{ left: place(predicted) }} />
            {rate !== undefined && <i class="dot" style={{ left: place(rate) }} />}
          </span>
          <span class="figure dim">
            {formatRate(predicted)} <Mark from="predicted" />
          </span>
        </>
      )}
    </div>
  );
}
