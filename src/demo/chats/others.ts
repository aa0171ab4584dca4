/** Everybody else: small chats in other APIs, two programs that disagree about num_ctx, embeddings, cancels, pollers. */
import { prose } from "../prose.ts";
import { wholeBetween } from "../random.ts";
import { createConversation } from "./conversation.ts";
import { claudeCode, codex, continueEditor, openaiScript, openWebUi, pythonScript } from "./people.ts";
import { atTimes, impatience, type Stage } from "./stage.ts";

const CODER = "qwen2.5-coder:1.5b";
const EMBEDDER = "nomic-embed-text";

/** A steady small chat over /v1, which gets the server's default window; a fresh one now and then. */
export async function scriptChat(stage: Stage): Promise<void> {
  const startedAt = stage.clock.monotonic();
  let conversation = createConversation({ ...stage, program: openaiScript, model: CODER });
  await stage.clock.sleep(12_000, stage.signal);
  while (stage.clock.monotonic() - startedAt < stage.restAtMs) {
    if (conversation.turns() >= 10) {
      conversation = createConversation({ ...stage, program: openaiScript, model: CODER });
    }
    const answerTokens = wholeBetween(stage.random, 80, 220);
    await conversation.ask({ questionTokens: 70, answerTokens }, stage.signal);
    await stage.clock.sleep(wholeBetween(stage.random, 18_000, 30_000), stage.signal);
  }
}

/** An editor on the same model that asks for another window: each of the two throws out the other's runner. */
export async function editorChat(stage: Stage): Promise<void> {
  await atTimes(stage, [150_000, 880_000], async () => {
    const conversation = createConversation({ ...stage, program: continueEditor, model: CODER });
    for (let turn = 0; turn < 4; turn += 1) {
      await conversation.ask({ questionTokens: 180, answerTokens: 120, contextLength: 16_384 }, stage.signal);
      await stage.clock.sleep(26_000, stage.signal);
    }
  });
}

/** Completions while typing: the next key makes the last one worthless, so it is broken off. */
export async function editorCompletions(stage: Stage): Promise<void> {
  await atTimes(stage, [52_000, 96_000, 330_000, 470_000, 790_000, 1_090_000], async () => {
    for (let key = 0; key < 3; key += 1) {
      const body = { model: CODER, prompt: prose(stage.random, 140), raw: true, stream: true };
      const nextKeyMs = 1500;
      const startedAt = stage.clock.monotonic();
      const signal = impatience(stage, nextKeyMs);
      await stage.client
        .send({ path: "/api/generate", headers: continueEditor.headers, body, signal })
        .catch(() => stage.signal.throwIfAborted());
      await stage.clock.sleep(startedAt + nextKeyMs - stage.clock.monotonic(), stage.signal);
    }
  });
}

/** A script that indexes notes. */
export async function embeddingBurst(stage: Stage): Promise<void> {
  await atTimes(stage, [118_000, 760_000], async () => {
    for (let batch = 0; batch < 10; batch += 1) {
      const input = Array.from({ length: 6 }, () => prose(stage.random, 260));
      const body = { model: EMBEDDER, input };
      await stage.client.send({
        path: "/api/embed",
        headers: pythonScript.headers,
        body,
        signal: stage.signal,
      });
    }
  });
}

export async function agents(stage: Stage): Promise<void> {
  await atTimes(stage, [280_000, 520_000, 980_000], async (time) => {
    const program = time === 520_000 ? codex : claudeCode;
    const conversation = createConversation({ ...stage, program, model: CODER });
    for (let turn = 0; turn < 3; turn += 1) {
      await conversation.ask({ questionTokens: 420, answerTokens: 110 }, stage.signal);
      await stage.clock.sleep(9000, stage.signal);
    }
  });
}

/** Somebody asks for a model that is not there. */
export async function wrongModel(stage: Stage): Promise<void> {
  await atTimes(stage, [205_000], async () => {
    await stage.client.send({
      path: "/api/generate",
      headers: { Accept: "*/*", "User-Agent": "curl/8.14.1" },
      body: { model: "mistral-small", prompt: "Hello" },
      signal: stage.signal,
    });
  });
}

/** A web interface looks for models every minute. */
export async function poller(stage: Stage): Promise<void> {
  const startedAt = stage.clock.monotonic();
  const { headers } = openWebUi("none");
  while (stage.clock.monotonic() - startedAt < stage.restAtMs) {
    await stage.client.send({ path: "/api/tags", headers, signal: stage.signal });
    await stage.clock.sleep(60_000, stage.signal);
  }
}
