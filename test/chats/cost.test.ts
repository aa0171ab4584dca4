/** What following costs, and that it stays bounded. */
import { describe, expect, it } from "vitest";
import { createIdentify } from "../../src/chats/identify.ts";
import { readRequest, type RequestContext } from "../../src/ollama/request.ts";
import { asked } from "./people.ts";

const CONTEXT: RequestContext = { operation: "chat", dialect: "ollama" };
/** Of one message of up to 8 KB. */
const MOST_MICROSECONDS = 50;

function fastest(work: () => void, rounds = 7): number {
  const times = Array.from({ length: rounds }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
  return Math.min(...times);
}

describe("following", () => {
  it.each([
    ["short messages", 20, 400],
    ["messages of 1 KB", 1024, 200],
    ["messages of 8 KB", 8192, 30],
  ])("%s costs little", (name, length, count) => {
    const word = "lorem ipsum dolor sit ";
    const content = word.repeat(Math.ceil(length / word.length)).slice(0, length);
    const messages = Array.from({ length: count }, (_, index) => ({
      role: index % 2 === 0 ? "user" : "assistant",
      content: `${index} ${content}`,
    }));
    const body = Buffer.from(JSON.stringify({ model: "m", messages }));
    const identify = createIdentify({ newId: () => "c" });
    let at = 0;
    const follow = (salt: string | undefined): void => {
      const facts = readRequest(body, { ...CONTEXT, salt });
      const { exchange } = asked({ at: (at += 1000) });
      identify.begin(exchange, facts);
      exchange.state = { phase: "completed", endedAt: at };
      identify.end(exchange);
    };
    follow("s");
    const microseconds = ((fastest(() => follow("s")) - fastest(() => follow(undefined))) / count) * 1000;
    console.log(`following ${name}: ${microseconds.toFixed(1)} µs each`);
    expect(microseconds).toBeLessThan(MOST_MICROSECONDS);
  });

  it("the same message ten thousand times in a request, and a thousand requests of it, takes no longer and no more", () => {
    let count = 0;
    const identify = createIdentify({ newId: () => `c${(count += 1)}`, turnLimit: 2000 });
    const many = asked({ messages: Array.from({ length: 10_000 }, () => ["user", "hi"] as const) });
    expect(identify.begin(many.exchange, many.facts)?.turn).toBe(1);
    const ask = (): void => {
      const { exchange, facts } = asked({ messages: [["user", "hi"]], at: (count += 1000) });
      identify.begin(exchange, facts);
      exchange.state = { phase: "completed", endedAt: count };
      identify.end(exchange);
    };
    const first = fastest(() => Array.from({ length: 100 }).forEach(ask), 3);
    Array.from({ length: 5000 }).forEach(ask);
    expect(fastest(() => Array.from({ length: 100 }).forEach(ask), 3)).toBeLessThan(20 * first + 20);
  });
});
