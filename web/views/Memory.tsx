import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { createMemoryChart } from "../chart.ts";
import type { MemoryChart } from "../chart.ts";
import { formatTime } from "../format.ts";
import { chartWindows } from "../samples.ts";
import { toSeries } from "../series.ts";
import type { Series } from "../series.ts";
import { bands, chartSpanMs, chooseWindow, now, points, windowIndex } from "../store.ts";
import { themeChanges } from "../theme.ts";
import { momentWords, summaryWords } from "../chartWords.ts";
import { BandLegend } from "./BandLegend.tsx";
import { MemoryTable } from "./MemoryTable.tsx";

const cursorAt = signal<number | undefined>(undefined);

/** Memory over time: who holds it, and how far it is to the load line. */
export function Memory() {
  const series = useMemo(() => toSeries(points.value, bands.value), [points.value, bands.value]);
  return (
    <section class="panel memory" aria-labelledby="memory-title">
      <div class="panel-head">
        <h2 id="memory-title">Memory</h2>
        <span class="dim">{cursorAt.value === undefined ? "now" : `at ${formatTime(cursorAt.value)}`}</span>
        <div class="windows" role="group" aria-label="Time shown">
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
          <Canvas series={series} />
          <BandLegend series={series} at={cursorAt.value} />
          <figcaption>{summaryWords(series, points.value)}</figcaption>
        </figure>
      )}
      <MemoryTable points={points.value} />
    </section>
  );
}

function Canvas({ series }: { series: Series }) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<MemoryChart>(undefined);
  useEffect(() => {
    if (!element.current) return;
    chart.current = createMemoryChart(element.current, (at) => {
      cursorAt.value = at;
    });
    return () => chart.current?.destroy();
  }, []);
  const to = Math.max(now.value, series.times.at(-1) ?? 0);
  useEffect(() => chart.current?.update(series, to - chartSpanMs.value, to), [series, to]);
  useEffect(() => chart.current?.repaint(), [themeChanges.value]);
  const at = cursorAt.value ?? series.times.at(-1);
  return (
    <div
      ref={element}
      class="canvas"
      role="slider"
      tabIndex={0}
      aria-label="Moment shown, arrow keys move it"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, series.times.length - 1)}
      aria-valuenow={at === undefined ? 0 : Math.max(0, series.times.lastIndexOf(at))}
      aria-valuetext={at === undefined ? "no samples" : `${formatTime(at)}: ${momentWords(series, at)}`}
      onKeyDown={(event) => {
        const next = momentAfterKey(event, series);
        if (next === "keep") return;
        event.preventDefault();
        cursorAt.value = next;
        chart.current?.setCursor(next);
      }}
    />
  );
}

const steps: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageDown: -30,
  PageUp: 30,
};

function momentAfterKey(event: KeyboardEvent, series: Series): number | undefined | "keep" {
  const { times } = series;
  const last = times.length - 1;
  if (event.key === "Escape") return undefined;
  if (event.key === "Home") return times[0];
  if (event.key === "End") return times[last];
  const step = steps[event.key];
  if (step === undefined || last < 0) return "keep";
  const from = cursorAt.value === undefined ? last : times.indexOf(cursorAt.value);
  return times[Math.min(last, Math.max(0, (from < 0 ? last : from) + step))];
}
