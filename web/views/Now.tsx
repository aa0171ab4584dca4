import type { Exchange, Stage } from "../../src/types.ts";
import { formatCount, formatElapsed, formatRate } from "../format.ts";
import { liveTokensPerSecond } from "../rates.ts";
import type { LiveExchange } from "../state.ts";
import { live, models, now } from "../store.ts";
import { stageOf } from "../words.ts";
import { clientName, ContextGauge } from "./Exchange.tsx";
import { Mark } from "./Mark.tsx";

/** Every exchange in progress. */
export function Now() {
  const running = live.value;
  return (
    <section class="panel now" aria-labelledby="now-title">
      <div class="panel-head">
        <h2 id="now-title">Now</h2>
        {running.length > 0 && <span class="count">{running.length}</span>}
      </div>
      {running.length === 0 ? (
        <p class="empty">Nothing is running.</p>
      ) : (
        <ul
          class="live scroll"
          tabIndex={running.length > 3 ? 0 : undefined}
          aria-label="Exchanges in progress"
        >
          {running.map((row) => (
            <LiveRow key={row.exchange.id} row={row} />
          ))}
        </ul>
      )}
    </section>
  );
}

function LiveRow({ row: { exchange, seenAt } }: { row: LiveExchange }) {
  const rate = liveTokensPerSecond(exchange, seenAt);
  return (
    <li>
      <p class="who">
        <b dir="auto">{exchange.model ?? exchange.path}</b>
        <span class="dim" dir="auto">
          {clientName(exchange)}
        </span>
        <span class="elapsed">{formatElapsed(now.value - exchange.startedAt)}</span>
      </p>
      <p class="doing">
        <Stages exchange={exchange} />
        <span class="figure">
          <b>{formatCount(exchange.contentChunkCount)}</b> tokens <Mark from="assumed" />
        </span>
        <span class="figure">
          <b>{formatRate(rate)}</b> tok/s <Mark from="derived" />
        </span>
      </p>
      <ContextGauge {...contextOf(exchange)} />
    </li>
  );
}

const stages: Stage[] = ["queued", "loading", "prefill", "decoding"];

function Stages({ exchange }: { exchange: Exchange }) {
  const stage = stageOf(exchange);
  if (stage === undefined) return <span class="stages">{exchange.operation}</span>;
  const reached = stages.indexOf(stage);
  return (
    <span class="stages">
      {stages.slice(1).map((name, index) => (
        <i key={name} class={index + 1 <= reached ? "done" : ""} />
      ))}
      {stage}
    </span>
  );
}

/** What is known of the context before the answer says it: the prediction plus what has been generated since. */
function contextOf(exchange: Exchange) {
  const loaded = models.value.find((model) => model.name === exchange.model);
  const length = exchange.contextLength ?? loaded?.contextLength;
  if (exchange.contextTokensUsed !== undefined)
    return { used: exchange.contextTokensUsed, length, from: "derived" as const };
  const input = exchange.prediction?.inputTokens?.predicted;
  const used = input === undefined ? undefined : input + (exchange.contentChunkCount ?? 0);
  return { used, length, from: "predicted" as const };
}
