import { ended, historyProblem, moreRecorded, olderPage, page, showNewer, showOlder } from "../store.ts";
import { endedKept } from "../state.ts";
import { ExchangeTable } from "./ExchangeTable.tsx";
import { PointAClient } from "./PointAClient.tsx";

/** Every exchange that ended, newest first, a page at a time. */
export function History() {
  const older = olderPage.value;
  const rows = older?.exchanges ?? ended.value;
  const hasOlder = older ? older.next !== undefined : moreRecorded.value || rows.length >= endedKept;
  return (
    <section class="panel history" aria-labelledby="history-title">
      <div class="panel-head">
        <h2 id="history-title">Exchanges</h2>
        {historyProblem.value && <span class="dim">{historyProblem.value}</span>}
        <div class="windows">
          <button type="button" disabled={!older} onClick={() => void showNewer()}>
            Newer
          </button>
          <button type="button" disabled={!hasOlder} onClick={() => void showOlder()}>
            Older
          </button>
        </div>
      </div>
      {rows.length > 0 && <ExchangeTable rows={rows} />}
      {rows.length === 0 && page.value.version !== undefined && <PointAClient />}
    </section>
  );
}
