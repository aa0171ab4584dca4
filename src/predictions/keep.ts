/** What was learned, kept over restarts: two JSON values among the store's settings, and scores from its rows. */
import { createAccuracy, scoredOfExchange, type Accuracy, type ScoredValue } from "../predict/accuracy.ts";
import { createCalibration, type Calibration } from "../predict/calibration.ts";
import { createLearned, type Learned } from "../predict/guessLearned.ts";
import type { Exchange, Log } from "../types.ts";
import { BANDWIDTH_KEY, parseMeasuredBandwidth, type MeasuredBandwidth } from "./bandwidth.ts";

export interface Knowledge {
  learned: Learned;
  calibration: Calibration;
  accuracy: Accuracy;
  /** Of this machine's memory, once it was measured on request. */
  bandwidth(): MeasuredBandwidth | undefined;
  /** Something was learned: it is written a little later, many lessons at once. */
  changed(): void;
  /** Writes what is still unwritten, and ends. */
  close(): Promise<void>;
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

/** Where the record keeps what was learned. */
export const LEARNED_KEY = "learned";
export const CALIBRATION_KEY = "calibration";

const LOOK_AGAIN_MS = 60_000;
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
  const { learned, calibration } = parseKnowledge(
    {
      learned: await readText(store, LEARNED_KEY),
      calibration: await readText(store, CALIBRATION_KEY),
    },
    parts.machine,
  );
  const accuracy = createAccuracy({ now });
  let bandwidth = parseMeasuredBandwidth(await readText(store, BANDWIDTH_KEY), parts.machine);
  // It is measured by a command of its own, while this instance may be running.
  const lookAgain = setInterval(() => {
    void readText(store, BANDWIDTH_KEY).then((text) => {
      bandwidth = parseMeasuredBandwidth(text, parts.machine) ?? bandwidth;
    });
  }, LOOK_AGAIN_MS).unref();
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
      await store.saveSetting(LEARNED_KEY, JSON.stringify(learned.save()));
      await store.saveSetting(CALIBRATION_KEY, JSON.stringify(calibration.save()));
    } catch (error) {
      log.warn("what was learned could not be kept", { error: String(error) });
    }
  };
  return {
    learned,
    calibration,
    accuracy,
    bandwidth: () => bandwidth,
    changed() {
      timer ??= setTimeout(() => void save(), SAVE_DELAY_MS).unref();
    },
    async close() {
      clearInterval(lookAgain);
      if (timer !== undefined) {
        await save();
      }
    },
  };
}

async function readText(store: Keeper, key: string): Promise<string | undefined> {
  try {
    return await store.setting(key);
  } catch {
    return undefined;
  }
}

/** Unreadable is as good as absent: learning starts afresh. */
function parseSaved(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** What an instance on this machine has learned, from its two texts; for whoever only reads. */
export function parseKnowledge(
  texts: { learned: string | undefined; calibration: string | undefined },
  machine: string,
): Pick<Knowledge, "learned" | "calibration"> {
  const calibration = createCalibration({ machine, saved: parseSaved(texts.calibration) });
  const learned = createLearned({
    saved: parseSaved(texts.learned),
    decodeFactor: (model) => calibration.apply(model, "decodeMs", 1).factor,
  });
  return { learned, calibration };
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
