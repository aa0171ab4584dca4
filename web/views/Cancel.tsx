import { useEffect, useState } from "preact/hooks";
import type { Exchange } from "../../src/types.ts";
import { post } from "../api.ts";

const doubtMs = 5000;

/** Ends an exchange, after asking once more: the client at the other end loses its answer. */
export function Cancel({ exchange }: { exchange: Exchange }) {
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), doubtMs);
    return () => clearTimeout(timer);
  }, [asked]);
  const press = (): void => {
    if (!asked) {
      setProblem(undefined);
      setAsked(true);
      return;
    }
    setAsked(false);
    post(`./api/exchanges/${encodeURIComponent(exchange.id)}/cancel`).catch((error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <button
      type="button"
      class={asked ? "cancel asked" : "cancel"}
      title={problem}
      aria-label={asked ? undefined : `Cancel ${exchange.model ?? exchange.path}`}
      onClick={press}
      onBlur={() => setAsked(false)}
      onKeyDown={(event) => event.key === "Escape" && setAsked(false)}
    >
      {asked ? "Cut this client's answer?" : problem ? "Not cancelled" : "Cancel"}
    </button>
  );
}
