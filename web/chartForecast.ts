import type uPlot from "uplot";
import type { ForecastLine } from "./forecastLine.ts";
import { formatHour } from "./format.ts";
import { color, hatch, scaled } from "./paint.ts";
import { writeText } from "./chartMarks.ts";

/** Draws what is expected: a dashed line in a band, and the moment at which it crosses the load line. */
export function drawForecast(chart: uPlot, { forecast, to }: { forecast?: ForecastLine; to: number }): void {
  if (!forecast) return;
  const { ctx, bbox } = chart;
  const x = (at: number): number => chart.valToPos(at, "x", true);
  const y = (bytes: number): number => chart.valToPos(bytes, "y", true);
  const points = forecast.points.filter(({ at }) => at <= to + 60_000);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (const { at, highBytes } of points) ctx.lineTo(x(at), y(highBytes));
  for (const { at, lowBytes } of points.toReversed()) ctx.lineTo(x(at), y(lowBytes));
  ctx.closePath();
  ctx.globalAlpha = 0.45;
  ctx.fillStyle = hatch(color("dim")) ?? color("grid");
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.beginPath();
  for (const { at, bytes } of points) ctx.lineTo(x(at), y(bytes));
  ctx.strokeStyle = color("ink");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.stroke();
  if (forecast.crossesAt !== undefined && forecast.crossesAt <= to) drawCrossing(chart, forecast.crossesAt);
  ctx.restore();
}

function drawCrossing(chart: uPlot, at: number): void {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(at, "x", true);
  ctx.setLineDash([]);
  ctx.strokeStyle = color("load-line");
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  writeText(chart, {
    text: `swap ≈ ${formatHour(at)}`,
    x: x - 5 * devicePixelRatio,
    y: bbox.top + bbox.height - scaled(8 * devicePixelRatio),
    ink: color("load-line"),
    align: "right",
  });
}
