import { useEffect, useRef } from "preact/hooks";
import { createMemoryChart } from "../chart.ts";
import type { ChartView, MemoryChart } from "../chart.ts";
import { indexAt, momentWords } from "../chartWords.ts";
import { formatTime } from "../format.ts";
import type { Series } from "../series.ts";
import { cursorAt } from "../store.ts";
import { themeChanges } from "../theme.ts";

/** The chart itself: a slider for the keyboard, a canvas for the eye. All of them show one cursor. */
export function MemoryCanvas({ view, label }: { view: ChartView; label: string }) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<MemoryChart>(undefined);
  const { series } = view;
  useEffect(() => {
    if (!element.current) return;
    chart.current = createMemoryChart(element.current, (at) => {
      cursorAt.value = at;
    });
    return () => chart.current?.destroy();
  }, []);
  useEffect(() => chart.current?.update(view), [series, view.to, view.forecast, view.marks]);
  useEffect(() => chart.current?.repaint(), [themeChanges.value]);
  useEffect(() => chart.current?.setCursor(cursorAt.value), [cursorAt.value]);
  const at = cursorAt.value ?? series.times.at(-1);
  return (
    <div
      ref={element}
      class="canvas"
      role="slider"
      tabIndex={0}
      aria-label={`${label}, arrow keys move it`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, series.times.length - 1)}
      aria-valuenow={at === undefined ? 0 : Math.max(0, indexAt(series.times, at))}
      aria-valuetext={at === undefined ? "no samples" : `${formatTime(at)}: ${momentWords(series, at)}`}
      onKeyDown={(event) => {
        const next = momentAfterKey(event, series);
        if (next === "keep") return;
        event.preventDefault();
        cursorAt.value = next;
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
  const from = cursorAt.value === undefined ? last : indexAt(times, cursorAt.value);
  return times[Math.min(last, Math.max(0, (from < 0 ? last : from) + step))];
}
