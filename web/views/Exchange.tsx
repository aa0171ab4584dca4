import type { Exchange, Provenance } from "../../src/types.ts";
import { formatCount } from "../format.ts";
import { Mark } from "./Mark.tsx";

/** Who asked: the short name, else whatever the client says of itself. */
export function clientName(exchange: Exchange): string {
  const { name, userAgent, address } = exchange.client;
  return name ?? userAgent ?? address ?? "unknown client";
}

interface ContextGaugeProps {
  used: number | undefined;
  length: number | undefined;
  /** Left out where the column's heading says it. */
  from?: Provenance;
}

/** How full the context is. Nothing is drawn where nothing is known. */
export function ContextGauge({ used, length, from }: ContextGaugeProps) {
  if (length === undefined) return null;
  const share = used === undefined ? 0 : Math.min(1, used / length);
  return (
    <div class="context">
      <div class="meter" aria-hidden="true" data-full={share >= 0.9}>
        <i style={{ width: `${share * 100}%` }} />
      </div>
      <span>
        {used === undefined ? (
          `context of ${formatCount(length)}`
        ) : (
          <>
            {formatCount(used)} / {formatCount(length)} {from && <Mark from={from} />}
          </>
        )}
      </span>
    </div>
  );
}
