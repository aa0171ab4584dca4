import type uPlot from "uplot";
import { formatGib } from "./format.ts";
import { color, fontOf, hatch, scaled } from "./paint.ts";
import type { ChartMark } from "./marks.ts";
import type { Gap, Series } from "./series.ts";

const swapOutShownFrom = 1024 ** 2;

/** Marks stretches without samples, so that nothing measured is never read as nothing used. */
export function drawGaps(chart: uPlot, gaps: readonly Gap[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.globalAlpha = 0.35;
  ctx.fillStyle = hatch(color("grid-strong")) ?? color("grid");
  for (const { from, to } of gaps) {
    const left = Math.max(bbox.left, chart.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, chart.valToPos(to, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/** Draws the Plimsoll mark at the right end of the load line, and its name. */
export function drawLoadLine(chart: uPlot, series: Series): void {
  const value = series.loadLine.findLast((bytes) => bytes !== null);
  if (value === undefined || value === null) return;
  const { ctx, bbox } = chart;
  const unit = scaled(devicePixelRatio);
  const y = chart.valToPos(value, "y", true);
  const x = bbox.left + bbox.width - 16 * unit;
  ctx.save();
  ctx.strokeStyle = color("load-line");
  ctx.lineWidth = 1.5 * unit;
  ctx.beginPath();
  ctx.arc(x, y, 6 * unit, 0, 2 * Math.PI);
  ctx.stroke();
  // On into the future, where no sample is yet.
  ctx.globalAlpha = 0.5;
  ctx.beginPath();
  ctx.moveTo(chart.valToPos(series.times.at(-1) ?? 0, "x", true), y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.globalAlpha = 1;
  // Above the line: below it the bands and their forecast come near.
  writeText(chart, {
    text: "load line",
    x: x - 12 * unit,
    y: y - 5 * unit,
    ink: color("load-line"),
    align: "right",
  });
  ctx.restore();
}

/** Draws the lane of swap above total memory: its base, its name, and a tick wherever pages were written out. */
export function drawSwapLane(chart: uPlot, series: Series): void {
  if (!series.swapTotalBytes || series.totalBytes === undefined) return;
  const { ctx, bbox } = chart;
  const unit = scaled(devicePixelRatio);
  const base = chart.valToPos(0, "swap", true);
  ctx.save();
  ctx.fillStyle = color("grid");
  ctx.fillRect(bbox.left, bbox.top, bbox.width, base - bbox.top);
  ctx.fillStyle = color("load-line");
  for (const [index, rate] of series.swapOut.entries()) {
    const at = series.times[index];
    if (rate === null || at === undefined || rate < swapOutShownFrom) continue;
    ctx.fillRect(chart.valToPos(at, "x", true) - unit / 2, bbox.top, unit, base - bbox.top);
  }
  const used = series.swapUsed.findLast((bytes) => bytes !== null);
  const text = `swap ${used ? formatGib(used) : "0"} of ${formatGib(series.swapTotalBytes)} GiB`;
  writeText(chart, { text, x: bbox.left + 6 * unit, y: base - 6 * unit, ink: color("dim"), align: "left" });
  ctx.restore();
}

const glyphs: Record<ChartMark["kind"], string> = { load: "▲", reload: "↻", cut: "✂", cliff: "◣" };

/** Draws a hair line for each event, with a sign of its own at its foot. Their words stand in the list of the chart. */
export function drawMarks(chart: uPlot, marks: readonly ChartMark[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.setLineDash([1 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, kind } of marks) {
    const x = chart.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const ink = color(kind === "load" ? "dim" : kind === "reload" ? "accent" : "warn");
    ctx.strokeStyle = ink;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    writeText(chart, { text: glyphs[kind], x, y: bbox.top + bbox.height - 4, ink, align: "center" });
  }
  ctx.restore();
}

interface Writing {
  text: string;
  x: number;
  y: number;
  ink: string;
  align: CanvasTextAlign;
}

/** Writes with a halo in the panel's colour: the text may lie on any band. */
export function writeText(chart: uPlot, { text, x, y, ink, align }: Writing): void {
  const { ctx } = chart;
  ctx.font = fontOf(scaled(11 * devicePixelRatio));
  ctx.textAlign = align;
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeStyle = color("paper");
  ctx.strokeText(text, x, y);
  ctx.fillStyle = ink;
  ctx.fillText(text, x, y);
}
