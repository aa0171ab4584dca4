import type { ComponentChildren } from "preact";
import type { Exchange, Provenance, Usage } from "../../src/types.ts";
import { formatBytes, formatCount, formatDuration, formatWhen } from "../format.ts";
import type { LedgerRow } from "../ledgerRows.ts";
import { isReload, loadWords, shortLoadWords } from "../marks.ts";
import { now } from "../store.ts";
import { noticeWords, seriousNotices } from "../words.ts";
import { clientName, Name } from "./Exchange.tsx";
import { Mark } from "./Mark.tsx";

/** A column of one figure or text. Those of predicted figures are `metrics`. */
export interface Column {
  id: string;
  title: string;
  /** Where the column's figures come from, unless a row says otherwise. */
  from?: Provenance;
  kind: "text" | "figure";
  cell(row: LedgerRow): ComponentChildren;
}

export const textColumns: Column[] = [
  { id: "time", title: "Time", kind: "text", cell: ({ at }) => formatWhen(at, now.peek()) },
  {
    id: "client",
    title: "Client",
    kind: "text",
    cell: ({ exchange, load }) => <Name text={exchange ? clientName(exchange) : (load.client ?? "")} />,
  },
  {
    id: "model",
    title: "Model",
    kind: "text",
    cell: ({ exchange, load }) => <Name text={exchange ? (exchange.model ?? exchange.path) : load.model} />,
  },
  {
    id: "operation",
    title: "Operation",
    kind: "text",
    cell: ({ exchange }) => exchange?.operation ?? "load",
  },
  { id: "outcome", title: "Outcome", kind: "text", cell: (row) => <Outcome row={row} /> },
];

export const figureColumns: Column[] = [
  { id: "input", title: "Input", ...counted("inputTokens") },
  { id: "cached", title: "Cached", ...counted("cachedInputTokens", "derived") },
  { id: "output", title: "Output", ...counted("outputTokens") },
  { id: "queue", title: "Queue", ...timed("queueMs") },
  {
    id: "load",
    title: "Load",
    from: "measured",
    kind: "figure",
    cell: ({ exchange, load }) => duration(exchange ? exchange.usage?.loadMs : load.loadMs),
  },
  { id: "prefill", title: "Prefill", ...timed("prefillMs") },
  { id: "decode", title: "Decode", ...timed("decodeMs") },
  {
    id: "duration",
    title: "Whole",
    from: "measured",
    kind: "figure",
    cell: ({ exchange }) => duration(exchange && wholeMs(exchange)),
  },
  {
    id: "sent",
    title: "Sent",
    from: "measured",
    kind: "figure",
    cell: ({ exchange }) => exchange && formatBytes(exchange.requestBytes),
  },
];

function counted(field: keyof Usage, from: Provenance = "measured"): Omit<Column, "id" | "title"> {
  return {
    from,
    kind: "figure",
    cell: ({ exchange }) => {
      const value = exchange?.usage?.[field];
      if (typeof value !== "number") return null;
      const other = exchange?.usage?.provenance;
      return (
        <>
          {formatCount(value)}
          {from === "measured" && other && other !== from ? <Mark from={other} /> : null}
        </>
      );
    },
  };
}

function timed(field: keyof Usage): Omit<Column, "id" | "title"> {
  return {
    from: "measured",
    kind: "figure",
    cell: ({ exchange }) => duration(exchange?.usage?.[field] as number | undefined),
  };
}

function duration(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : formatDuration(milliseconds);
}

function wholeMs({ startedAt, state }: Exchange): number | undefined {
  return "endedAt" in state ? Math.max(0, state.endedAt - startedAt) : undefined;
}

function Outcome({ row: { exchange, load } }: { row: LedgerRow }) {
  if (load) {
    return (
      <span class="outcome">
        <span class="phase" data-phase={load.endedAt === undefined ? "loading" : "load"}>
          {isReload(load) ? "reloaded" : "loaded"}
        </span>
        <span class="reason" title={loadWords(load)}>
          {shortLoadWords(load)}
        </span>
      </span>
    );
  }
  const { state, notices } = exchange;
  const reason = state.phase === "failed" ? state.error.message : undefined;
  return (
    <span class="outcome">
      <span class="phase" data-phase={state.phase} title={reason ?? exchange.usage?.doneReason}>
        {state.phase}
      </span>
      {reason && <span class="reason">{reason}</span>}
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
