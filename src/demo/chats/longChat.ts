/**
 * The story of the demo. A chat at num_ctx 8192 grows by some 490 tokens a turn and is quick until turn 16. The history of
 * turn 17 no longer fits: from there on each turn computes the whole window again and leaves a copy of it in the runner's
 * memory. Just when the machine swaps, the person behind it gives up, unloads the model and goes on with twice the window.
 */
import { createConversation, type Conversation } from "./conversation.ts";
import { openWebUi } from "./people.ts";
import { impatience, type Stage } from "./stage.ts";

const MODEL = "llama3.1:8b";
const TURN = { questionTokens: 390, answerTokens: 90 };
const SMALL_WINDOW = 8192;
const LARGE_WINDOW = 16_384;
/** Reading and typing. */
const PAUSE_MS = 7000;
const GIVES_UP_AFTER_MS = 612_000;
const PAUSE_AFTER_FIX_MS = 32_000;
const TURNS_AFTER_FIX = 11;
const REST_MS = 12_000;

export async function longChat(stage: Stage): Promise<void> {
  const { clock, client, random } = stage;
  const startedAt = clock.monotonic();
  const program = openWebUi(`demo-${stage.round}`);
  const conversation = createConversation({ client, random, program, model: MODEL });
  await growUntil(stage, conversation, impatience(stage, GIVES_UP_AFTER_MS));
  await clock.sleep(REST_MS / 2, stage.signal);
  await unload(stage, program.headers);
  await clock.sleep(REST_MS, stage.signal);
  for (let turn = 0; turn < TURNS_AFTER_FIX; turn += 1) {
    await conversation.ask({ ...TURN, contextLength: LARGE_WINDOW }, stage.signal);
    await clock.sleep(PAUSE_AFTER_FIX_MS, stage.signal);
  }
  await clock.sleep(Math.max(0, startedAt + stage.restAtMs - clock.monotonic()), stage.signal);
  await unload(stage, program.headers);
}

async function growUntil(stage: Stage, conversation: Conversation, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await conversation.ask({ ...TURN, contextLength: SMALL_WINDOW }, signal);
      await stage.clock.sleep(PAUSE_MS, signal);
    } catch (error) {
      stage.signal.throwIfAborted();
      if (!signal.aborted) throw error;
    }
  }
}

/** No messages and no keep_alive: what a person gets with `ollama stop`. */
async function unload(stage: Stage, headers: Readonly<Record<string, string>>): Promise<void> {
  await stage.client.send({
    path: "/api/chat",
    headers,
    body: { model: MODEL, messages: [], keep_alive: 0 },
    signal: stage.signal,
  });
}
