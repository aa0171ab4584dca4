import uPlot from "uplot";
import type { BandKind } from "./bands.ts";
import { drawForecast } from "./chartForecast.ts";
import { drawGaps, drawLoadLine, drawMarks, drawSwapLane } from "./chartMarks.ts";
import type { ForecastLine } from "./forecastLine.ts";
import { formatDay, formatGib, formatHour, formatTime } from "./format.ts";
import type { ChartMark } from "./marks.ts";
import { bandFill, color, fontOf, forgetColors, scaled } from "./paint.ts";
import type { Series } from "./series.ts";
import { emptySeries } from "./series.ts";

/** A chart of memory over time. uPlot is known to this file and its drawings alone. */
export interface MemoryChart {
  update(view: ChartView): void;
  /** Puts the cursor at a moment, or takes it away. */
  setCursor(at: number | undefined): void;
  /** Draws everything anew: colours or size have changed. */
  repaint(): void;
  destroy(): void;
}

/** What is drawn, and the stretch of time; both ends in epoch milliseconds. */
export interface ChartView {
  series: Series;
  from: number;
  to: number;
  forecast?: ForecastLine;
  marks?: readonly ChartMark[];
}

/** Share of the height that the swap lane takes at the top, where there is swap. */
const swapLane = 0.14;
const minuteMs = 60_000;
const dayMs = 24 * 3_600_000;

/** Creates the chart inside `element`, which gives it its size. `onCursor` hears of the pointer only. */
export function createMemoryChart(
  element: HTMLElement,
  onCursor: (at: number | undefined) => void,
): MemoryChart {
  let chart: uPlot | undefined;
  let shape = "";
  let view: ChartView = { series: emptySeries, from: 0, to: 1 };
  let following = false;
  const current = (): ChartView => view;
  const heard = (at: number | undefined): void => {
    if (!following) onCursor(at);
  };

  const build = (): void => {
    chart?.destroy();
    shape = shapeOf(view.series);
    chart = new uPlot(chartOptions(element, current, heard), columns(view.series), element);
  };
  const repaint = (): void => {
    forgetColors();
    if (chart) build();
  };
  const resizing = new ResizeObserver(() => chart?.setSize(sizeOf(element)));
  resizing.observe(element);

  return {
    update(next) {
      view = next;
      if (chart && shape === shapeOf(next.series)) chart.setData(columns(next.series));
      else build();
    },
    setCursor(at) {
      const left = at === undefined ? -10 : (chart?.valToPos(at, "x") ?? -10);
      following = true;
      chart?.setCursor({ left, top: 10 });
      following = false;
    },
    repaint,
    destroy() {
      resizing.disconnect();
      chart?.destroy();
    },
  };
}

function chartOptions(
  element: HTMLElement,
  current: () => ChartView,
  onCursor: (at: number | undefined) => void,
): uPlot.Options {
  return {
    ...sizeOf(element),
    ms: 1,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    // Lines of the grid lie over the fills, which are opaque.
    drawOrder: ["series", "axes"] as uPlot.DrawOrderKey[],
    scales: {
      x: { range: () => [current().from, current().to] },
      y: { range: () => [0, topOf(current().series)] },
      swap: { range: () => swapRange(current().series) },
    },
    axes: [timeAxis(current), memoryAxis(current)],
    series: [{}, ...bandSeries(current().series.kinds), cacheLimitSeries(), loadLineSeries(), swapSeries()],
    hooks: {
      drawClear: [(chart) => drawGaps(chart, current().series.gaps)],
      draw: [
        (chart) => drawForecast(chart, current()),
        (chart) => drawSwapLane(chart, current().series),
        (chart) => drawMarks(chart, current().marks ?? []),
        (chart) => drawLoadLine(chart, current().series),
      ],
      setCursor: [(chart) => onCursor(timeAt(chart, current().series))],
    },
  };
}

/** Top of the stack first, so that each lower band is painted over the ones it supports. */
function bandSeries(kinds: readonly BandKind[]): uPlot.Series[] {
  return kinds.toReversed().map((kind) => ({
    scale: "y",
    width: 0,
    // Edges snapped to pixels turn a slope into stairs.
    pxAlign: 0,
    points: { show: false },
    fill: bandFill(kind),
  }));
}

function cacheLimitSeries(): uPlot.Series {
  return { scale: "y", width: 1, dash: [2, 3], stroke: color("band-promptCache"), points: { show: false } };
}

function loadLineSeries(): uPlot.Series {
  return { scale: "y", width: 1.5, stroke: color("load-line"), points: { show: false } };
}

function swapSeries(): uPlot.Series {
  return { scale: "swap", width: 0, fill: color("swap"), fillTo: 0, points: { show: false } };
}

function timeAxis(current: () => ChartView): uPlot.Axis {
  return {
    ...axisStyle(),
    size: scaled(22),
    space: scaled(64),
    grid: { show: false },
    values: (_, splits) => {
      const { from, to } = current();
      const step = (splits[1] ?? 0) - (splits[0] ?? 0);
      return splits.map(to - from > 2 * dayMs ? formatDay : step < minuteMs ? formatTime : formatHour);
    },
  };
}

function memoryAxis(current: () => ChartView): uPlot.Axis {
  return {
    ...axisStyle(),
    size: scaled(46),
    scale: "y",
    grid: { stroke: color("grid"), width: 1 },
    splits: () => memorySplits(current().series.totalBytes),
    values: (_, splits) => splits.map((bytes, index) => `${formatGib(bytes)}${index === 0 ? " GiB" : ""}`),
  };
}

function axisStyle(): uPlot.Axis {
  return { font: fontOf(scaled(11)), stroke: color("dim"), ticks: { show: false }, gap: 6 };
}

/** Round steps from 0, ending in the total itself, whatever it is. */
function memorySplits(totalBytes: number | undefined): number[] {
  if (!totalBytes) return [0];
  let step = 2 ** Math.ceil(Math.log2(totalBytes / 5));
  if (totalBytes / step < 2.5) step /= 2;
  const splits: number[] = [];
  for (let bytes = 0; bytes < totalBytes - step * 0.4; bytes += step) splits.push(bytes);
  return [...splits, totalBytes];
}

function topOf(series: Series): number {
  const total = series.totalBytes ?? 1;
  return series.swapTotalBytes ? total / (1 - swapLane) : total;
}

/** Swap from 0 to its size fills the lane above the line of total memory. */
function swapRange(series: Series): [number, number] {
  const swapTotal = series.swapTotalBytes || 1;
  const laneBase = 1 - swapLane * 0.85;
  return [(-laneBase / (1 - laneBase)) * swapTotal, swapTotal];
}

function columns(series: Series): uPlot.AlignedData {
  const swap = series.swapTotalBytes ? series.swapUsed : series.swapUsed.map(() => null);
  // A limit above the machine's memory cannot be reached: nothing is drawn for it.
  const top = series.totalBytes ?? 0;
  const limit = series.cacheLimit.map((bytes) => (bytes !== null && bytes <= top ? bytes : null));
  return [series.times, ...series.edges.toReversed(), limit, series.loadLine, swap];
}

/** What the chart must be rebuilt for: uPlot cannot change its list of series' fills cheaply. */
function shapeOf(series: Series): string {
  return series.kinds.join();
}

function timeAt(chart: uPlot, series: Series): number | undefined {
  const { idx, left } = chart.cursor;
  return idx === undefined || idx === null || left === undefined || left < 0 ? undefined : series.times[idx];
}

function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: Math.max(120, element.clientWidth), height: Math.max(100, element.clientHeight) };
}
