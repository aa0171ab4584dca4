import { formatCount } from "../format.ts";
import {
  chosenColumns,
  filter,
  foundRows,
  hasOlder,
  pageIndex,
  setFilter,
  showNewer,
  showOlder,
  shownRows,
  toggleColumn,
} from "../ledger.ts";
import { metrics } from "../metrics.ts";
import { historyProblem, version } from "../store.ts";
import { figureColumns, textColumns } from "./ledgerColumns.tsx";
import { LedgerTable } from "./LedgerTable.tsx";
import { PointAClient } from "./PointAClient.tsx";

/** Every exchange and load that ended, newest first: what was predicted, what came, how far off it was. */
export function Ledger() {
  const rows = shownRows.value;
  // A runner that was found at the start is no sign of a client.
  const empty = filter.value === "" && rows.every(({ exchange }) => exchange === undefined);
  return (
    <section class="record" aria-labelledby="ledger-title">
      <div class="head">
        <h2 id="ledger-title">Predicted and actual</h2>
        <span class="dim">{historyProblem.value ?? "what was expected beforehand, what came"}</span>
        {!empty && <Tools />}
      </div>
      {rows.length > 0 && <LedgerTable rows={rows} />}
      {rows.length === 0 && filter.value !== "" && (
        <p class="empty">
          Nothing among the latest exchanges and loads has “{filter.value.slice(0, 60)}” in its client, model,
          outcome or notices.
        </p>
      )}
      {empty && version.value !== undefined && <PointAClient />}
    </section>
  );
}

function Tools() {
  return (
    <div class="buttons">
      {filter.value !== "" && <span class="dim">{formatCount(foundRows.value.length)} found</span>}
      <input
        type="search"
        placeholder="Filter"
        aria-label="Filter by client, model, outcome or notice"
        value={filter.value}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <details class="chooser">
        <summary>Columns</summary>
        <fieldset>
          <legend class="hidden">Columns shown</legend>
          {[...textColumns.slice(1), ...metrics, ...figureColumns].map(({ id, title }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={chosenColumns.value.has(id)}
                onChange={() => toggleColumn(id)}
              />
              {title}
            </label>
          ))}
        </fieldset>
      </details>
      <a href="./api/exchanges?format=csv&limit=1000&without=other" download>
        CSV
      </a>
      <a href="./api/loads?format=csv&limit=1000" download>
        Loads CSV
      </a>
      <button type="button" disabled={pageIndex.value === 0} onClick={showNewer}>
        Newer
      </button>
      <button type="button" disabled={!hasOlder.value} onClick={() => void showOlder()}>
        Older
      </button>
    </div>
  );
}
