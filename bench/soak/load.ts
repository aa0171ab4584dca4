/** What people and programs do all day, at once: chats in every dialect, some left half-way, some that force a reload. */
export interface Sent {
  /** Requests whose answer was read to its end. */
  whole: number;
  /** Requests that were left in the middle. */
  left: number;
}

const DIALECTS = [
  { path: "/api/chat", body: { stream: true } },
  { path: "/v1/chat/completions", body: { stream: true } },
  { path: "/api/generate", body: { stream: true, prompt: "Name three colours." } },
  { path: "/v1/messages", body: { stream: true, max_tokens: 256 } },
  { path: "/api/chat", body: { stream: false } },
] as const;
const MODELS = ["gemma3:270m", "qwen2.5-coder:1.5b"];
/** One in so many is left in the middle, one in so many asks for another context and makes the model load again. */
const LEFT_EVERY = 7;
const RELOAD_EVERY = 40;

/** Chats until told to stop; throws at the first answer that is not whole. */
export async function chatUntil(
  url: string,
  lane: number,
  sent: Sent,
  stopped: () => boolean,
): Promise<void> {
  let history: { role: string; content: string }[] = [];
  for (let turn = lane; !stopped(); turn += 1) {
    const { path, body } = DIALECTS[turn % DIALECTS.length] ?? DIALECTS[0];
    history.push({ role: "user", content: `Turn ${turn} of lane ${lane}: tell me about the sea.` });
    const request = {
      model: MODELS[lane % MODELS.length],
      messages: history,
      ...body,
      ...(path.startsWith("/api/") &&
        turn % RELOAD_EVERY === 0 && { options: { num_ctx: 2048 + 1024 * (turn % 3) } }),
    };
    const leaves = turn % LEFT_EVERY === 0 && body.stream;
    await ask(`${url}${path}`, JSON.stringify(request), leaves);
    sent[leaves ? "left" : "whole"] += 1;
    history.push({ role: "assistant", content: "The sea is wide. ".repeat(20) });
    if (history.length > 30) history = [];
  }
}

/** So many chats of one short turn, each unlike the others; `say` is told of every five thousandth. */
export async function fill(
  url: string,
  count: number,
  parts: { sent: Sent; lanes: number; stopped: () => boolean; say: (count: number) => void },
): Promise<void> {
  let begun = 0;
  const lane = async (model: string | undefined): Promise<void> => {
    while (begun < count && !parts.stopped()) {
      begun += 1;
      if (begun % 5000 === 0) parts.say(begun);
      const messages = [{ role: "user", content: `What is ${begun} times ${begun % 97}?` }];
      const body = { model, messages, stream: false, options: { num_predict: 1 } };
      await ask(`${url}/api/chat`, JSON.stringify(body), false);
      parts.sent.whole += 1;
    }
  };
  await Promise.all(Array.from({ length: parts.lanes }, (_, index) => lane(MODELS[index % MODELS.length])));
}

async function ask(url: string, body: string, leaves: boolean): Promise<void> {
  const controller = new AbortController();
  const answer = await fetch(url, { method: "POST", body, signal: controller.signal });
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  let tail = "";
  try {
    for await (const chunk of answer.body ?? []) {
      if (leaves) {
        controller.abort();
        return;
      }
      tail = (tail + Buffer.from(chunk).toString("latin1")).slice(-16_384);
    }
  } catch (error) {
    if (!leaves) throw error;
    return;
  }
  if (!leaves && !/"done": ?true|\[DONE\]|message_stop/.test(tail))
    throw new Error(`${url}: the answer is not whole: …${tail.slice(-200)}`);
}
