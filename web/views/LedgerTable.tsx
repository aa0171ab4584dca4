import { useComputed, useSignal } from "@preact/signals";
import type { LedgerRow } from "../ledgerRows.ts";
import { chosenColumns } from "../ledger.ts";
import { compareExchange, compareLoad, metrics } from "../metrics.ts";
import type { Compared, Metric } from "../metrics.ts";
import { formatError } from "../format.ts";
import { cursorAt } from "../store.ts";
import { ExchangeDetail } from "./ExchangeDetail.tsx";
import { figureColumns, textColumns } from "./ledgerColumns.tsx";
import { Mark } from "./Mark.tsx";

/** The roles are spelled out because narrow screens lay rows out as cards, and a table that is not displayed as one loses its own. */
export function LedgerTable({ rows }: { rows: readonly LedgerRow[] }) {
  const chosen = chosenColumns.value;
  const texts = textColumns.filter(({ id }) => id === "time" || chosen.has(id));
  const compared = metrics.filter(({ id }) => chosen.has(id));
  const figures = figureColumns.filter(({ id }) => chosen.has(id));
  const columnCount = texts.length + compared.length * 3 + figures.length;
  return (
    <table class="ledger" role="table" aria-labelledby="ledger-title">
      <thead role="rowgroup">
        <tr role="row">
          {texts.map(({ id, title }) => (
            <th key={id} role="columnheader" scope="col" class="text" rowSpan={2}>
              {title}
            </th>
          ))}
          {compared.map(({ id, title }) => (
            <th key={id} role="columnheader" scope="colgroup" class="group" colSpan={3}>
              {title}
            </th>
          ))}
          {figures.map(({ id, title, from }) => (
            <th key={id} role="columnheader" scope="col" class="figure" rowSpan={2}>
              {title} {from && <Mark from={from} />}
            </th>
          ))}
        </tr>
        <tr role="row">
          {compared.map(({ id, title }) => [
            <th key={`${id}-p`} role="columnheader" scope="col" class="figure first">
              <span class="hidden">{title} </span>predicted <Mark from="predicted" />
            </th>,
            <th key={`${id}-a`} role="columnheader" scope="col" class="figure">
              <span class="hidden">{title} </span>actual{" "}
              <Mark
                from={id === "contextTokensUsed" || id === "decodeTokensPerSecond" ? "derived" : "measured"}
              />
            </th>,
            <th key={`${id}-e`} role="columnheader" scope="col" class="figure">
              <span class="hidden">{title} </span>error
            </th>,
          ])}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <Row key={row.id} row={row} parts={{ texts, compared, figures, columnCount }} />
        ))}
      </tbody>
    </table>
  );
}

interface Parts {
  texts: typeof textColumns;
  compared: readonly Metric[];
  figures: typeof figureColumns;
  columnCount: number;
}

function Row({ row, parts }: { row: LedgerRow; parts: Parts }) {
  const open = useSignal(false);
  const { exchange, load, at } = row;
  const until = exchange && "endedAt" in exchange.state ? exchange.state.endedAt : (load?.endedAt ?? at);
  const look = useComputed(() => {
    const cursor = cursorAt.value;
    return cursor !== undefined && cursor >= at && cursor <= Math.max(until, at + 1000) ? "looked-at" : "";
  });
  const [time, ...texts] = parts.texts;
  return (
    <>
      <tr
        role="row"
        class={look}
        data-kind={load ? "load" : "exchange"}
        onMouseEnter={() => (cursorAt.value = at)}
        onMouseLeave={() => (cursorAt.value = undefined)}
      >
        {time && (
          <td role="cell" class="text" data-title={time.title}>
            <button
              type="button"
              class="opens"
              aria-expanded={open.value}
              onClick={() => (open.value = !open.value)}
            >
              {time.cell(row)}
            </button>
          </td>
        )}
        {texts.map(({ id, title, cell }) => (
          <td key={id} role="cell" class="text" data-title={title}>
            {cell(row)}
          </td>
        ))}
        {parts.compared.map((metric) => {
          const figures = exchange
            ? compareExchange(exchange, metric)
            : metric.id === "runnerBytes"
              ? compareLoad(load)
              : {};
          return <ComparedCells key={metric.id} metric={metric} figures={figures} />;
        })}
        {parts.figures.map(({ id, title, cell }) => (
          <td key={id} role="cell" class="figure" data-title={title}>
            {cell(row)}
          </td>
        ))}
      </tr>
      {open.value && (
        <tr role="row" class="detail">
          <td role="cell" colSpan={parts.columnCount}>
            <ExchangeDetail row={row} />
          </td>
        </tr>
      )}
    </>
  );
}

/** More than this is a prediction that missed. */
const missedFrom = 0.25;

function ComparedCells({ metric, figures }: { metric: Metric; figures: Compared }) {
  const { predicted, actual, errorRatio, low, high } = figures;
  const range =
    low === undefined || high === undefined
      ? undefined
      : `expected between ${metric.format(low)} and ${metric.format(high)}`;
  const text = (value: number | undefined): string | null =>
    value === undefined ? null : metric.format(value);
  const missed = errorRatio !== undefined && Math.abs(errorRatio) > missedFrom;
  return (
    <>
      <td role="cell" class="figure first dim" data-title={`${metric.title} predicted`} title={range}>
        {text(predicted)}
      </td>
      <td role="cell" class="figure" data-title={`${metric.title} actual`}>
        {text(actual)}
      </td>
      <td role="cell" class={missed ? "figure missed" : "figure dim"} data-title="error">
        {errorRatio === undefined ? null : formatError(errorRatio)}
      </td>
    </>
  );
}
