import type { Exchange, Provenance } from "../../src/types.ts";
import { formatCount } from "../format.ts";
import { Mark } from "./Mark.tsx";

/** Who asked: the short name, else whatever the client says of itself. */
export function clientName(exchange: Exchange): string {
  const { name, userAgent, address } = exchange.client;
  return name ?? userAgent ?? address ?? "unknown client";
}

/** A name from outside: cut by the style sheet, whole in its title, its direction kept to itself. */
export function Name({ text }: { text: string }) {
  return (
    <bdi class="name" title={text}>
      {text}
    </bdi>
  );
}

interface ContextGaugeProps {
  used: number | undefined;
  length: number | undefined;
  from: Provenance;
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
            {formatCount(used)} / {formatCount(length)} <Mark from={from} />
          </>
        )}
      </span>
    </div>
  );
}
