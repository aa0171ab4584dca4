/** Figures for people. Only here do bytes become GiB and milliseconds become minutes. Times are local, 24 hours. */

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** What is not known is shown as a dash, which no figure of ours looks like. */
const unknown = "–";

const grouped = new Intl.NumberFormat("en");

/** `21.4 GiB`; below a tenth of a GiB in MiB, so that a small figure does not read as none. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return unknown;
  const size = Math.abs(bytes);
  if (size < mebibyte / 2) return "0 MiB";
  if (size < gibibyte / 10) return `${Math.round(bytes / mebibyte)} MiB`;
  return `${formatGib(bytes)} GiB`;
}

/** The bare number of GiB with one decimal, none from 1000 on; a whole number of GiB stays whole. */
export function formatGib(bytes: number): string {
  const value = bytes / gibibyte;
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return grouped.format(Math.round(value));
  return value.toFixed(1);
}

/** `12,345`. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? unknown : grouped.format(Math.round(count));
}

/** `24.1` tokens per second; no decimal from 100 on. */
export function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined || !Number.isFinite(perSecond)) return unknown;
  return perSecond >= 99.95 ? formatCount(perSecond) : perSecond.toFixed(1);
}

/** A duration that is over: `420 ms`, `12.3 s`, `1 min 04 s`, `2 h 05 min`. */
export function formatDuration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return unknown;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  return formatLongDuration(milliseconds + 500);
}

/** A duration that still runs, in whole seconds, so that it counts instead of flickering. */
export function formatElapsed(milliseconds: number): string {
  const elapsed = Math.max(0, milliseconds);
  return elapsed < 60_000 ? `${Math.floor(elapsed / 1000)} s` : formatLongDuration(elapsed);
}

/** Whole seconds, cut: who wants them rounded adds half a second. */
function formatLongDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  return `${grouped.format(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
}

/** `14:03:05`. */
export function formatTime(at: number): string {
  const time = new Date(at);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** `14:03`, for axes. */
export function formatHour(at: number): string {
  return formatTime(at).slice(0, 5);
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `14:03:05` on the day of `now`, otherwise `21 Nov 14:03`. */
export function formatWhen(at: number, now: number): string {
  const time = new Date(at);
  if (time.toDateString() === new Date(now).toDateString()) return formatTime(at);
  return `${time.getDate()} ${months[time.getMonth()]} ${formatHour(at)}`;
}

/** `21 Nov`, for the axis of many days. */
export function formatDay(at: number): string {
  const time = new Date(at);
  return `${time.getDate()} ${months[time.getMonth()]}`;
}

/** `+4.2 %`, with its sign: how far a prediction was from what happened. */
export function formatError(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return unknown;
  const percent = ratio * 100;
  const digits = Math.abs(percent) >= 10 ? 0 : 1;
  return `${percent
    .toFixed(digits)
    .replace(/^(?=\d)/, "+")
    .replace("-", "−")
    .replace(/^[+−](0(?:\.0)?)$/, "$1")} %`;
}

/** `4.2 %`, of a share or a size that has no sign. */
export function formatShare(ratio: number | undefined): string {
  return formatError(ratio === undefined ? undefined : Math.abs(ratio)).replace("+", "");
}

/** `about 14 min`, from seconds: no figure of a forecast is known to the second. */
export function formatSoon(seconds: number): string {
  if (seconds < 90) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
