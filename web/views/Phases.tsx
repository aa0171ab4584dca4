import type { Stage } from "../../src/types.ts";
import { formatCount, formatElapsed } from "../format.ts";
import { stageOf } from "../stages.ts";
import type { LiveExchange } from "../state.ts";
import { now } from "../store.ts";
import { Mark } from "./Mark.tsx";

const order: Stage[] = ["queued", "loading", "prefill", "decoding"];

/** The way of an answer: queued or loading, then prefill, then decoding; how long each took, how long it should. */
export function Phases({ row: { exchange, phases } }: { row: LiveExchange }) {
  const stage = stageOf(exchange);
  if (stage === undefined) return <p class="phases-none">{exchange.operation}</p>;
  const first: Stage = phases.some((phase) => phase.stage === "loading") ? "loading" : "queued";
  const shown: Stage[] =
    stage === "queued" || phases[0]?.stage === "queued" || first === "loading"
      ? [stage === "queued" ? "queued" : first, "prefill", "decoding"]
      : ["loading", "prefill", "decoding"];
  return (
    <ol class="phases">
      {shown.map((name) => {
        const index = phases.findIndex((phase) => phase.stage === name);
        const since = phases[index]?.at;
        const until = phases[index + 1]?.at ?? now.value;
        const current = name === stage;
        const expected = name === "prefill" ? exchange.prediction?.prefillMs?.predicted : undefined;
        const passed = order.indexOf(name) < order.indexOf(stage);
        const share = passed
          ? 1
          : !current
            ? 0
            : expected && since !== undefined
              ? Math.min(1, (until - since) / expected)
              : 1;
        return (
          <li key={name} aria-current={current ? "step" : undefined}>
            <i class="bar">
              <i
                class={expected && current ? "expected" : passed && since === undefined ? "unseen" : ""}
                style={{ width: `${share * 100}%` }}
              />
            </i>
            {name} <span class="dim">{since === undefined ? "" : formatElapsed(until - since)}</span>
            {expected !== undefined && current && (
              <span class="dim">
                {" "}
                of {formatElapsed(expected)} <Mark from="predicted" />
              </span>
            )}
            {name === "decoding" && current && (
              <span class="dim">
                {" "}
                {formatCount(exchange.contentChunkCount ?? 0)} tokens <Mark from="assumed" />
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
}
