/** Asks for what advice is made of, and remembers the advice for a while: a week of requests is not read for each look. */
import type { Advice, Conversation, Habits, LoadedModel } from "../types.ts";
import { advise } from "./advise.ts";
import type { AdviceFacts } from "./facts.ts";

export interface Advisor {
  list(): Promise<Advice[]>;
}

const DAYS_MS = 7 * 86_400_000;
const REMEMBERED_MS = 5000;

export function createAdvisor(
  parts: Pick<AdviceFacts, "change" | "canonicalName"> & {
    now(): number;
    monotonic(): number;
    habits(query: { from: number }): Promise<Habits>;
    conversations(): Promise<readonly Conversation[]>;
    loaded(): readonly LoadedModel[];
    memory(): Pick<AdviceFacts, "headroomBytes" | "totalBytes">;
    remedies(): AdviceFacts["remedies"];
  },
): Advisor {
  let asked: { at: number; answer: Promise<Advice[]> } | undefined;
  const ask = async (): Promise<Advice[]> => {
    const [habits, conversations] = await Promise.all([
      parts.habits({ from: parts.now() - DAYS_MS }),
      parts.conversations(),
    ]);
    return advise({
      now: parts.now(),
      habits,
      conversations,
      loaded: parts.loaded(),
      ...parts.memory(),
      remedies: parts.remedies(),
      change: parts.change,
      canonicalName: parts.canonicalName,
    });
  };
  return {
    list() {
      const at = parts.monotonic();
      if (asked === undefined || at - asked.at >= REMEMBERED_MS) {
        const answer = ask();
        const fresh = { at, answer };
        asked = fresh;
        // What failed is not remembered.
        answer.catch(() => {
          if (asked === fresh) {
            asked = undefined;
          }
        });
      }
      return asked.answer;
    },
  };
}
