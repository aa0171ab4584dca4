import { useMemo } from "preact/hooks";
import { summaryWords } from "../chartWords.ts";
import { formatBytes, formatTime, formatWhen } from "../format.ts";
import { futureMs } from "../forecastLine.ts";
import { chartMarks, marksKnownSince } from "../marks.ts";
import type { ChartMark } from "../marks.ts";
import { chartWindows } from "../samples.ts";
import { toGpuSeries, toSeries } from "../series.ts";
import type { Series } from "../series.ts";
import { endedKept } from "../state.ts";
import { loadsKept } from "../stateLoads.ts";
import {
  bandContext,
  chartSpanMs,
  chooseWindow,
  cursorAt,
  ended,
  forecastNow,
  loads,
  now,
  points,
  sample,
  windowIndex,
} from "../store.ts";
import { BandLegend } from "./BandLegend.tsx";
import { MemoryCanvas } from "./MemoryCanvas.tsx";
import { MemoryTable } from "./MemoryTable.tsx";

/** Memory over time: who holds it, how far it is to the load line, and where it is going. */
export function Memory() {
  const context = bandContext.value;
  const series = useMemo(() => toSeries(points.value, context), [points.value, context]);
  const forecast = forecastNow.value;
  const to = Math.max(now.value, series.times.at(-1) ?? 0) + futureMs(forecast, chartSpanMs.value);
  const from = to - chartSpanMs.value;
  const marks = useMemo(
    () => chartMarks(loads.value, ended.value, now.value - chartSpanMs.value, now.value),
    [loads.value, ended.value, chartSpanMs.value, series],
  );
  const knownSince = marksKnownSince(loads.value, ended.value, { loads: loadsKept, ended: endedKept });
  return (
    <section class="memory" aria-labelledby="memory-title">
      <div class="head">
        <h2 id="memory-title">Memory</h2>
        <span class="dim">{cursorAt.value === undefined ? "now" : `at ${formatTime(cursorAt.value)}`}</span>
        <div class="buttons" role="group" aria-label="Time shown">
          {chartWindows.map(({ name }, index) => (
            <button
              type="button"
              key={name}
              aria-pressed={index === windowIndex.value}
              onClick={() => chooseWindow(index)}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      {points.value.length === 0 ? (
        <p class="empty">No samples in this stretch of time.</p>
      ) : (
        <figure>
          <MemoryCanvas view={{ series, from, to, forecast, marks }} label="Moment shown" />
          <BandLegend series={series} at={cursorAt.value} />
          <figcaption>
            {markAt(marks, cursorAt.value, chartSpanMs.value) ?? summaryWords(series, points.value, forecast)}
            {knownSince !== undefined &&
              knownSince > from &&
              ` Loads and cuts are marked from ${formatWhen(knownSince, now.value)} on.`}
          </figcaption>
        </figure>
      )}
      <Gpus from={from} to={to} />
      <MemoryTable points={points.value} marks={marks} />
    </section>
  );
}

/** A chart for each GPU, on the same time and with the same cursor. */
function Gpus({ from, to }: { from: number; to: number }) {
  const gpus = sample.value?.gpus ?? [];
  return (
    <>
      {gpus.map(({ id, name = `GPU ${id}` }) => (
        <Gpu key={id} id={id} name={name} from={from} to={to} />
      ))}
    </>
  );
}

function Gpu({ id, name, from, to }: { id: string; name: string; from: number; to: number }) {
  const context = bandContext.value;
  const series: Series = useMemo(() => toGpuSeries(points.value, id, context), [points.value, id, context]);
  const used = series.edges.at(-1)?.at(-1);
  return (
    <figure class="gpu">
      <figcaption>
        <b dir="auto">{name}</b> {formatBytes(used ?? undefined)} of {formatBytes(series.totalBytes)}
      </figcaption>
      <MemoryCanvas view={{ series, from, to }} label={`Moment shown, ${name}`} />
      <BandLegend series={series} at={cursorAt.value} />
    </figure>
  );
}

/** What happened at the moment that is looked at, within a hundredth of the window. */
function markAt(marks: readonly ChartMark[], at: number | undefined, spanMs: number): string | undefined {
  if (at === undefined) return undefined;
  const near = marks.filter((mark) => Math.abs(mark.at - at) <= spanMs / 100);
  return near.length === 0
    ? undefined
    : near.map((mark) => `${formatTime(mark.at)} ${mark.text}`).join(" · ");
}
