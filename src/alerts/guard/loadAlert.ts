/** An alert for a load that goes to Ollama though it does not fit: raised before it begins, over when it has. */
import { nameText } from "../../predict/figureText.ts";
import type { Episode, Exchange, ExchangeObserver, Notice } from "../../types.ts";
import type { Foreseen } from "./foresight.ts";

export interface LoadAlerts {
  raise(exchange: Exchange, foreseen: Foreseen, notice: Notice): void;
  observer: ExchangeObserver;
}

export function createLoadAlerts(parts: {
  newId: () => string;
  now: () => number;
  changed(episode: Episode): void;
}): LoadAlerts {
  const open = new Map<string, Episode>();

  const end = (exchange: Exchange): void => {
    const episode = open.get(exchange.id);
    if (episode !== undefined && exchange.state.phase !== "waiting") {
      open.delete(exchange.id);
      parts.changed({ ...episode, currentLevel: "ok", endedAt: parts.now() });
    }
  };

  return {
    raise(exchange, foreseen, notice) {
      const episode: Episode = {
        id: parts.newId(),
        level: "warn",
        currentLevel: "warn",
        startedAt: parts.now(),
        text: `This load will push memory past the load line. ${notice.message ?? ""}`,
        headroomBytes: Math.round(foreseen.freeBytes),
        causes: [{ name: `load of ${nameText(foreseen.model)}`, bytes: foreseen.needBytes }],
        remedies: notice.remedies ?? [],
      };
      open.set(exchange.id, episode);
      parts.changed(episode);
    },
    observer: { name: "load-alerts", onUpdate: end, onEnd: end },
  };
}
