import { randomBytes } from "node:crypto";
import type { Log } from "../types.ts";

interface Settings {
  setting(key: string): Promise<string | undefined>;
  saveSetting(key: string, value: string): Promise<void>;
}

const KEY = "conversation-salt";
const SALT_BYTES = 24;

/**
 * The secret of this installation, made once: hashes of what is said here mean nothing elsewhere. Where it cannot be
 * kept, one is made for this run, and chats are not followed over its end.
 */
export async function recallSalt({ store, log }: { store: Settings; log: Log }): Promise<string> {
  try {
    const kept = await store.setting(KEY);
    if (kept !== undefined && kept !== "") {
      return kept;
    }
    const made = randomBytes(SALT_BYTES).toString("base64url");
    await store.saveSetting(KEY, made);
    return made;
  } catch (error) {
    log.warn("Chats will not be followed over the next restart: the record does not answer", {
      error: String(error),
    });
    return randomBytes(SALT_BYTES).toString("base64url");
  }
}
