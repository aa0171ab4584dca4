import { useSignal } from "@preact/signals";
import { scatterPoints } from "../scatter.ts";
import { formatWhen } from "../format.ts";
import { metrics } from "../metrics.ts";
import { cursorAt, ended, now } from "../store.ts";

const side = 220;

/** Predicted against actual, both in steps of equal ratio: what was right lies on the line. */
export function Scatter() {
  const chosen = useSignal(0);
  const metric = metrics[chosen.value] ?? metrics[0];
  if (!metric) return null;
  const { dots, low, high } = scatterPoints(ended.value, metric);
  const place = (value: number): number =>
    high === low ? side / 2 : (Math.log(value / low) / Math.log(high / low)) * side;
  const cursor = cursorAt.value;
  return (
    <figure class="scatter">
      <div class="buttons" role="group" aria-label="Figure shown">
        {metrics.map(({ id, title }, index) => (
          <button
            type="button"
            key={id}
            aria-pressed={index === chosen.value}
            onClick={() => (chosen.value = index)}
          >
            {title}
          </button>
        ))}
      </div>
      {dots.length === 0 ? (
        <p class="empty">Nothing to compare yet.</p>
      ) : (
        <>
          <svg viewBox={`-6 -6 ${side + 12} ${side + 12}`} aria-hidden="true">
            <path class="axis" d={`M0 0V${side}H${side}`} />
            <path class="diagonal" d={`M0 ${side}L${side} 0`} />
            {dots.map(({ id, at, until, predicted, actual }) => (
              <circle
                key={id}
                class={cursor !== undefined && cursor >= at && cursor <= until ? "looked-at" : undefined}
                cx={place(actual)}
                cy={side - place(predicted)}
                r={3}
              />
            ))}
          </svg>
          <figcaption>
            {metric.title}, {dots.length} exchanges, from {metric.format(low)} to {metric.format(high)}:
            actual to the right, predicted upwards. Above the line too much was predicted.
          </figcaption>
          <details class="behind">
            <summary>Dots as a table</summary>
            <div class="scroll" role="region" tabIndex={0} aria-label="Predicted and actual figures">
              <table class="small">
                <thead>
                  <tr>
                    <th scope="col">Time</th>
                    <th scope="col">Predicted</th>
                    <th scope="col">Actual</th>
                  </tr>
                </thead>
                <tbody>
                  {dots.slice(0, 60).map(({ id, at, predicted, actual }) => (
                    <tr key={id}>
                      <th scope="row">{formatWhen(at, now.peek())}</th>
                      <td>{metric.format(predicted)}</td>
                      <td>{metric.format(actual)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </figure>
  );
}
