import type { WhatIfCell } from "../../src/types.ts";
import { formatCount, formatGib } from "../format.ts";
import { context, kvType, kvTypes, slotCounts, slots, table } from "../whatIfStore.ts";
import { fitShapes, fitWords, largestThatFits } from "../whatIf.ts";

/** The whole field at once: context down, cache types across, for one, two and four slots. */
export function WhatIfTable() {
  const all = [...table.value.values()].flat();
  if (all.length === 0) return <p class="empty">The table appears once a model has been described.</p>;
  const contexts = [...new Set(all.map((cell) => cell.contextLength))].toSorted((a, b) => a - b);
  const columns = slotCounts.flatMap((count) =>
    kvTypes.map((type) => {
      const cells = (table.value.get(count) ?? []).filter((cell) => cell.kvCacheType === type);
      return { count, type, cells, largest: largestThatFits(cells) };
    }),
  );
  return (
    <div class="scroll" role="region" tabIndex={0} aria-label="Memory by context, cache type and slots">
      <table class="small field">
        <caption>
          GiB in all: {fitShapes.fits} fits, {fitShapes.tight} tightly, {fitShapes.overflows} does not fit,{" "}
          <b>▲</b> the largest context that fits
        </caption>
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              Context
            </th>
            {slotCounts.map((count) => (
              <th key={count} scope="colgroup" colSpan={kvTypes.length} class="group">
                {count === 1 ? "1 slot" : `${count} slots`}
              </th>
            ))}
          </tr>
          <tr>
            {columns.map(({ count, type }) => (
              <th key={`${count}${type}`} scope="col">
                {type}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {contexts.map((length) => (
            <tr key={length}>
              <th scope="row">{formatCount(length)}</th>
              {columns.map(({ count, type, cells, largest }) => {
                const cell = cells.find((other) => other.contextLength === length);
                const chosen = count === slots.value && type === kvType.value && length === context.value;
                return (
                  <td key={`${count}${type}`} data-fit={cell?.fit.verdict} aria-current={chosen || undefined}>
                    {cell && (
                      <Cell cell={cell} isLargest={cell === largest} choose={() => choose(cell, count)} />
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ cell, isLargest, choose }: { cell: WhatIfCell; isLargest: boolean; choose(): void }) {
  const { totalBytes, fit } = cell;
  return (
    <button
      type="button"
      class="plain"
      title={`${fitWords(fit)}${isLargest ? ", the largest that does" : ""}`}
      onClick={choose}
    >
      {totalBytes === undefined ? "–" : formatGib(totalBytes)} {fitShapes[fit.verdict]}
      <span class="largest">{isLargest ? "▲" : ""}</span>
    </button>
  );
}

function choose(cell: WhatIfCell, count: number): void {
  context.value = cell.contextLength;
  kvType.value = cell.kvCacheType;
  slots.value = count;
}
