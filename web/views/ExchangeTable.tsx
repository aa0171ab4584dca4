import type { ComponentChildren } from "preact";
import type { Exchange, Provenance } from "../../src/types.ts";
import { formatCount, formatDuration, formatRate, formatWhen } from "../format.ts";
import { decodeTokensPerSecond, firstTokenMs } from "../rates.ts";
import { now } from "../store.ts";
import { noticeWords, seriousNotices } from "../words.ts";
import { clientName, ContextGauge } from "./Exchange.tsx";
import { Mark } from "./Mark.tsx";

interface Column {
  title: string;
  /** Where the column's figures come from, unless a row says otherwise. */
  from?: Provenance;
  kind: "text" | "figure";
  cell(exchange: Exchange): ComponentChildren;
}

const columns: Column[] = [
  { title: "Time", kind: "text", cell: (exchange) => formatWhen(exchange.startedAt, now.peek()) },
  { title: "Client", kind: "text", cell: (exchange) => <Name text={clientName(exchange)} /> },
  { title: "Model", kind: "text", cell: (exchange) => <Name text={exchange.model ?? exchange.path} /> },
  { title: "Operation", kind: "text", cell: (exchange) => exchange.operation },
  { title: "Outcome", kind: "text", cell: (exchange) => <Outcome exchange={exchange} /> },
  { title: "Input", from: "measured", kind: "figure", cell: (exchange) => tokens(exchange, "inputTokens") },
  { title: "Output", from: "measured", kind: "figure", cell: (exchange) => tokens(exchange, "outputTokens") },
  {
    title: "Prefill",
    from: "measured",
    kind: "figure",
    cell: (exchange) => formatDuration(exchange.usage?.prefillMs),
  },
  {
    title: "First token",
    from: "measured",
    kind: "figure",
    cell: (exchange) => formatDuration(firstTokenMs(exchange)),
  },
  {
    title: "tok/s",
    from: "derived",
    kind: "figure",
    cell: (exchange) => formatRate(decodeTokensPerSecond(exchange)),
  },
  { title: "Context", from: "derived", kind: "figure", cell: (exchange) => <Context exchange={exchange} /> },
];

/** The roles are spelled out because narrow screens lay rows out as cards, and a table that is not displayed as one loses its own. */
export function ExchangeTable({ rows }: { rows: readonly Exchange[] }) {
  return (
    <table class="exchanges" role="table" aria-labelledby="history-title">
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, from, kind }) => (
            <th key={title} role="columnheader" scope="col" class={kind}>
              {title} {from && <Mark from={from} />}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((exchange) => (
          <tr key={exchange.id} role="row" class={exchange.operation === "other" ? "dim" : ""}>
            {columns.map(({ title, kind, cell }) => (
              <td key={title} role="cell" class={kind} data-title={title}>
                {cell(exchange)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A name from outside: cut by the style sheet, whole in its title, its direction kept to itself. */
function Name({ text }: { text: string }) {
  return (
    <bdi class="name" title={text}>
      {text}
    </bdi>
  );
}

function Outcome({ exchange }: { exchange: Exchange }) {
  const { state, notices } = exchange;
  const reason = state.phase === "failed" ? state.error.message : exchange.usage?.doneReason;
  return (
    <span class="outcome">
      <span class="phase" data-phase={state.phase} title={reason}>
        {state.phase}
      </span>
      {state.phase === "failed" && <span class="reason">{state.error.message}</span>}
      {notices.map((notice) => (
        <span
          key={notice.kind}
          class={seriousNotices.has(notice.kind) ? "notice serious" : "notice"}
          title={notice.message}
        >
          {noticeWords[notice.kind] ?? notice.kind}
          {notice.tokensLost ? ` −${formatCount(notice.tokensLost)}` : ""}
        </span>
      ))}
    </span>
  );
}

function tokens(exchange: Exchange, field: "inputTokens" | "outputTokens"): ComponentChildren {
  const { usage } = exchange;
  const text = formatCount(usage?.[field]);
  if (usage?.[field] === undefined || usage.provenance === "measured") return text;
  return (
    <>
      {text} <Mark from={usage.provenance} />
    </>
  );
}

function Context({ exchange }: { exchange: Exchange }) {
  const { contextTokensUsed, contextLength } = exchange;
  if (contextTokensUsed === undefined || contextLength === undefined) return formatCount(contextTokensUsed);
  return <ContextGauge used={contextTokensUsed} length={contextLength} />;
}
