import { formatBytes, formatCount, formatDuration } from "../format.ts";
import type { LedgerRow } from "../ledgerRows.ts";
import { loadWords } from "../marks.ts";
import { residentBytes } from "../parts.ts";
import { noticeWords } from "../words.ts";
import { Remedies } from "./Remedies.tsx";

/** Everything that is known of one exchange or load, and what to do about it. */
export function ExchangeDetail({ row: { exchange, load } }: { row: LedgerRow }) {
  const facts = (load ? loadFacts(load) : exchangeFacts(exchange)).filter(([, value]) => value);
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
      </dl>
      {exchange?.notices.map((notice) => (
        <div key={notice.kind} class="told">
          <p>
            <b>{noticeWords[notice.kind] ?? notice.kind}</b> {notice.message}
          </p>
          <Remedies remedies={notice.remedies} />
        </div>
      ))}
    </>
  );
}

type Fact = [name: string, value: string | undefined];

function exchangeFacts(exchange: NonNullable<LedgerRow["exchange"]>): Fact[] {
  const { usage, client, conversationId, turn, state } = exchange;
  const count = (value: number | undefined) => (value === undefined ? undefined : formatCount(value));
  const time = (value: number | undefined) => (value === undefined ? undefined : formatDuration(value));
  return [
    ["Request", `${exchange.method} ${exchange.path}`],
    ["Status", exchange.status === undefined ? undefined : String(exchange.status)],
    ["Failure", state.phase === "failed" ? state.error.message : undefined],
    ["Client", client.userAgent ?? client.name],
    ["Address", client.address],
    ["Chat", conversationId && `${conversationId}${turn === undefined ? "" : `, turn ${turn}`}`],
    ["Purpose", exchange.purpose],
    ["Context asked for", count(exchange.requestedContextLength)],
    ["Context given", count(exchange.contextLength)],
    ["Input", count(usage?.inputTokens)],
    ["Of it cached", count(usage?.cachedInputTokens)],
    ["Output", count(usage?.outputTokens)],
    ["Ended by", usage?.doneReason],
    ["Queue", time(usage?.queueMs)],
    ["Load", time(usage?.loadMs)],
    ["Prefill", time(usage?.prefillMs)],
    ["Decode", time(usage?.decodeMs)],
    ["Bytes", `${formatCount(exchange.requestBytes)} there, ${formatCount(exchange.responseBytes)} back`],
  ];
}

function loadFacts(load: NonNullable<LedgerRow["load"]>): Fact[] {
  return [
    ["Load", loadWords(load)],
    ["Took", load.loadMs === undefined ? undefined : formatDuration(load.loadMs)],
    ["Context", load.contextLength === undefined ? undefined : formatCount(load.contextLength)],
    ["Slots", load.parallel === undefined ? undefined : String(load.parallel)],
    ["Measured", load.measured && formatBytes(residentBytes(load.measured))],
    ["Ollama says", load.claimedBytes === undefined ? undefined : formatBytes(load.claimedBytes)],
    ["Why they differ", load.claimRemark],
    ["Lost with the runner before", load.lostBytes ? formatBytes(load.lostBytes) : undefined],
  ];
}
