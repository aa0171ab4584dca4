/** What was learned, kept over restarts: two JSON values among the store's settings, and scores from its rows. */
import { createAccuracy, scoredOfExchange, type Accuracy, type ScoredValue } from "../predict/accuracy.ts";
import { createCalibration, type Calibration } from "../predict/calibration.ts";
import { createLearned, type Learned } from "../predict/guessLearned.ts";
import type { Exchange, Log } from "../types.ts";

export interface Knowledge {
  learned: Learned;
  calibration: Calibration;
  accuracy: Accuracy;
  /** Something was learned: it is written a little later, many lessons at once. */
  changed(): void;
  /** Writes what is still unwritten. */
  save(): Promise<void>;
}

/** The part of the store that is used here. */
interface Keeper {
  setting(key: string): Promise<string | undefined>;
  saveSetting(key: string, value: string): Promise<void>;
  exchanges(query: { limit: number; before?: string; without: "other" }): Promise<{
    exchanges: Exchange[];
    next?: string;
  }>;
}

const SAVE_DELAY_MS = 10_000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
/** Pages of a thousand that are read back for the accuracy of the last days. */
const MOST_PAGES = 20;

export async function recallKnowledge(parts: {
  store: Keeper;
  machine: string;
  now: () => number;
  log: Log;
}): Promise<Knowledge> {
  const { store, now, log } = parts;
  const [savedLearned, savedCalibration] = await Promise.all([
    recall(store, "learned"),
    recall(store, "calibration"),
  ]);
  const calibration = createCalibration({ machine: parts.machine, saved: savedCalibration });
  const learned = createLearned({
    saved: savedLearned,
    decodeFactor: (model) => calibration.apply(model, "decodeMs", 1).factor,
  });
  const accuracy = createAccuracy({ now });
  // Not waited for: forwarding starts at once, the scores of the last days follow.
  void scoresOnRecord(store, now() - WEEK_MS).then(
    (values) => accuracy.add(values),
    (error) => log.warn("earlier predictions could not be read back", { error: String(error) }),
  );
  let timer: NodeJS.Timeout | undefined;
  const save = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    try {
      await store.saveSetting("learned", JSON.stringify(learned.save()));
      await store.saveSetting("calibration", JSON.stringify(calibration.save()));
    } catch (error) {
      log.warn("what was learned could not be kept", { error: String(error) });
    }
  };
  return {
    learned,
    calibration,
    accuracy,
    changed() {
      timer ??= setTimeout(() => void save(), SAVE_DELAY_MS).unref();
    },
    async save() {
      if (timer !== undefined) {
        await save();
      }
    },
  };
}

/** Unreadable is as good as absent: learning starts afresh. */
async function recall(store: Keeper, key: string): Promise<unknown> {
  try {
    const text = await store.setting(key);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

async function scoresOnRecord(store: Keeper, from: number): Promise<ScoredValue[]> {
  const values: ScoredValue[] = [];
  let before: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { exchanges, next } = await store.exchanges({ limit: 1000, before, without: "other" });
    values.push(...exchanges.flatMap(scoredOfExchange));
    const oldest = exchanges.at(-1)?.startedAt ?? 0;
    if (next === undefined || oldest < from) {
      break;
    }
    before = next;
  }
  return values;
}
