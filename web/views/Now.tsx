import type { LoadedModel } from "../../src/types.ts";
import { formatBytes, formatCount, formatElapsed } from "../format.ts";
import { residentBytes } from "../parts.ts";
import { liveTokensPerSecond } from "../rates.ts";
import { stageOf } from "../stages.ts";
import type { LiveExchange } from "../state.ts";
import { health, live, models, now } from "../store.ts";
import { Cancel } from "./Cancel.tsx";
import { clientName, ContextGauge } from "./Exchange.tsx";
import { Phases } from "./Phases.tsx";
import { RateGauge } from "./RateGauge.tsx";

/** Every exchange in progress, and what is loaded. */
export function Now() {
  const running = live.value;
  return (
    <section class="now" aria-labelledby="now-title">
      <div class="head">
        <h2 id="now-title">Now</h2>
        {running.length > 0 && <span class="count">{running.length}</span>}
        <span class="loaded">{loadedWords(models.value, health.value?.upstream.reachable)}</span>
      </div>
      {running.length === 0 ? (
        <p class="empty">Nothing is running.</p>
      ) : (
        <ul
          class="live scroll"
          tabIndex={running.length > 2 ? 0 : undefined}
          aria-label="Exchanges in progress"
        >
          {running.map((row, index) => (
            <LiveRow key={row.exchange.id} row={row} brief={index >= fullRows} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** As many as are looked at one by one; of a crowd it matters who is in it and what it waits for. */
const fullRows = 8;

function LiveRow({ row, brief }: { row: LiveExchange; brief: boolean }) {
  const { exchange, seenAt } = row;
  const generates = exchange.operation === "chat" || exchange.operation === "generate";
  return (
    <li>
      <p class="who">
        <b dir="auto">{exchange.model ?? exchange.path}</b>
        <span class="dim" dir="auto">
          {clientName(exchange)}
        </span>
        <span class="elapsed">
          {brief && `${stageOf(exchange) ?? exchange.operation} `}
          {formatElapsed(now.value - exchange.startedAt)}
        </span>
        <Cancel exchange={exchange} />
      </p>
      {!brief && <Phases row={row} />}
      {!brief && generates && (
        <div class="doing">
          <RateGauge
            rate={liveTokensPerSecond(exchange, seenAt)}
            expected={exchange.prediction?.decodeTokensPerSecond}
          />
          <ContextGauge {...contextOf(row)} />
        </div>
      )}
    </li>
  );
}

function loadedWords(loaded: readonly LoadedModel[], reachable = true): string {
  if (!reachable) return "Ollama does not answer";
  if (loaded.length === 0) return "no model is loaded";
  const bytes = loaded.reduce((sum, { measured }) => sum + (measured ? residentBytes(measured) : 0), 0);
  const count = loaded.length === 1 ? "1 model" : `${formatCount(loaded.length)} models`;
  return `${count} loaded${bytes > 0 ? `, ${formatBytes(bytes)}` : ""}`;
}

/** What is known of the context before the answer says it: the prediction plus what has been generated since. */
function contextOf({ exchange }: LiveExchange) {
  const loaded = models.value.find((model) => model.name === exchange.model);
  const length = exchange.contextLength ?? loaded?.contextLength;
  if (exchange.contextTokensUsed !== undefined)
    return { used: exchange.contextTokensUsed, length, from: "derived" as const };
  const input = exchange.prediction?.inputTokens?.predicted;
  const used = input === undefined ? undefined : input + (exchange.contentChunkCount ?? 0);
  return { used, length, from: "predicted" as const };
}
