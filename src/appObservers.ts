/** Who keeps exchanges and who shows them, as observers. */
import type { Store } from "./store/api.ts";
import type { Exchange, ExchangeObserver } from "./types.ts";

export function recorder(store: Store): ExchangeObserver {
  const save = (exchange: Exchange): void => store.saveExchange(exchange);
  return { name: "recorder", onStart: save, onRequest: save, onEnd: save };
}

export function publisher(publish: (exchange: Exchange) => void): ExchangeObserver {
  return { name: "live", onStart: publish, onRequest: publish, onUpdate: publish, onEnd: publish };
}
