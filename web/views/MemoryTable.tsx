import { useState } from "preact/hooks";
import type { SamplePoint } from "../../src/types.ts";
import { usedBytes } from "../bands.ts";
import { formatBytes, formatTime, formatWhen } from "../format.ts";
import type { ChartMark } from "../marks.ts";
import { residentBytes } from "../parts.ts";
import { now } from "../store.ts";

const rowsShown = 60;

/** The chart's figures as a table: what a canvas cannot say to a screen reader. */
export function MemoryTable({
  points,
  marks,
}: {
  points: readonly SamplePoint[];
  marks: readonly ChartMark[];
}) {
  const [open, setOpen] = useState(false);
  const gpus = points.at(-1)?.gpus ?? [];
  return (
    <details class="behind" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Figures as a table</summary>
      {open && (
        <div class="scroll" role="region" tabIndex={0} aria-label="Memory figures">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Used</th>
                <th scope="col">Models</th>
                <th scope="col">Before swap</th>
                <th scope="col">Swap</th>
                {gpus.map(({ id, name = `GPU ${id}` }) => (
                  <th key={id} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {thin(points).map((point) => (
                <tr key={point.takenAt}>
                  <th scope="row">{formatTime(point.takenAt)}</th>
                  <td>{formatBytes(usedBytes(point))}</td>
                  <td>{formatBytes(runnerBytes(point))}</td>
                  <td>{formatBytes(point.headroomBytes)}</td>
                  <td>{formatBytes(point.swapUsedBytes)}</td>
                  {gpus.map(({ id }) => (
                    <td key={id}>{formatBytes(point.gpus.find((gpu) => gpu.id === id)?.usedBytes)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {marks.length > 0 && (
            <ul class="events" aria-label="Events">
              {marks.toReversed().map((mark) => (
                <li key={`${mark.at}${mark.text}`}>
                  {formatWhen(mark.at, now.peek())} {mark.text}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </details>
  );
}

function thin(points: readonly SamplePoint[]): SamplePoint[] {
  const step = Math.max(1, Math.ceil(points.length / rowsShown));
  return points.toReversed().filter((_, index) => index % step === 0);
}

function runnerBytes(point: SamplePoint): number {
  return point.runners.reduce((sum, runner) => sum + residentBytes(runner), 0);
}
