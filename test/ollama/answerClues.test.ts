import { describe, expect, it } from "vitest";
import type { AnswerContext } from "../../src/ollama/answer.ts";
import { readRequest } from "../../src/ollama/request.ts";
import {
  ANTHROPIC,
  CHAT,
  chunk,
  events,
  JSON_TYPE,
  last,
  lines,
  OPENAI,
  piece,
  read,
  RESPONSES,
} from "./answers.ts";

const SALT = "s";
const WORDS = ["Good", " day", ",\n\n", "it is `4`", ' "here" ', "ä€😀", "\\n", " end"];
const TEXT = WORDS.join("");

/** The hash that a request has which brings this text back. */
function sentBack(content: string): string | undefined {
  const body = JSON.stringify({ messages: [{ role: "assistant", content }] });
  const facts = readRequest(Buffer.from(body), { operation: "chat", dialect: "ollama", salt: SALT });
  return facts.conversation?.messages?.[0]?.hash;
}

const clues = (text: string, context: AnswerContext, how?: "cut") =>
  read(text, { ...context, salt: SALT }, how).conversation;
const whole = (context: AnswerContext): AnswerContext => ({ ...context, contentType: JSON_TYPE });

describe("what an answer says of its conversation", () => {
  it("is nothing without a salt", () => {
    expect(read(lines(piece("a"), last), CHAT).conversation).toBeUndefined();
  });

  const answers: [string, AnswerContext, (words: string[]) => string][] = [
    ["ollama stream", CHAT, (words) => lines(...words.map(piece), last)],
    [
      "ollama whole",
      whole(CHAT),
      (words) => JSON.stringify({ ...last, message: { role: "assistant", content: words.join("") } }),
    ],
    [
      "openai stream",
      OPENAI,
      (words) => events(...words.map((word) => chunk(word)), chunk("", "stop"), "[DONE]"),
    ],
    [
      "openai whole",
      whole(OPENAI),
      (words) =>
        JSON.stringify({
          model: "m",
          choices: [{ message: { content: words.join("") }, finish_reason: "stop" }],
        }),
    ],
    [
      "anthropic stream",
      ANTHROPIC,
      (words) =>
        events(
          ...words.map((text) => ({
            type: "content_block_delta",
            index: 0,
            delta: { type: "text_delta", text },
          })),
          { type: "message_stop" },
        ),
    ],
    [
      "anthropic whole",
      whole(ANTHROPIC),
      (words) =>
        JSON.stringify({
          content: [
            { type: "thinking", thinking: "hm" },
            { type: "text", text: words.join("") },
          ],
          stop_reason: "end_turn",
        }),
    ],
    [
      "responses stream",
      RESPONSES,
      (words) =>
        events(...words.map((delta) => ({ type: "response.output_text.delta", delta })), {
          type: "response.completed",
          response: { id: "resp_7", usage: {} },
        }),
    ],
    [
      "responses whole",
      whole(RESPONSES),
      (words) =>
        JSON.stringify({
          id: "resp_7",
          output: [{ type: "message", content: [{ type: "output_text", text: words.join("") }] }],
        }),
    ],
  ];

  it.each(answers)("is the text of the %s, as it is sent back", (_, context, make) => {
    expect(clues(make(WORDS), context)?.text).toBe(sentBack(TEXT));
    const long = Array.from({ length: 3000 }, (_word, index) => `word${index} `);
    expect(clues(make(long), context)?.text).toBe(sentBack(long.join("")));
  });

  it("leaves out thoughts in fields of their own, and what clients drop", () => {
    const thought = {
      model: "m",
      message: { role: "assistant", content: "", thinking: "hm hm" },
      done: false,
    };
    expect(clues(lines(thought, thought, piece("four"), piece("."), last), CHAT)?.text).toBe(
      sentBack("four."),
    );
    expect(clues(lines(piece("<think>hm"), piece("</think>four"), last), CHAT)?.text).toBe(sentBack("four"));
  });

  it("is what there is of an answer that was cut off", () => {
    expect(clues(lines(piece("four "), piece("or")), CHAT, "cut")?.text).toBe(sentBack("four or"));
  });

  it("is the id of a response, which the next request names", () => {
    const body = JSON.stringify({ input: "on", previous_response_id: "resp_7" });
    const next = readRequest(Buffer.from(body), { operation: "chat", dialect: "responses", salt: SALT });
    const id = next.conversation?.previousResponseId;
    expect(id).toBeDefined();
    expect(
      clues(events({ type: "response.completed", response: { id: "resp_7" } }), RESPONSES)?.responseId,
    ).toBe(id);
    expect(clues(JSON.stringify({ id: "resp_7", output: [] }), whole(RESPONSES))?.responseId).toBe(id);
  });

  it("is the token list of a generate, however long", () => {
    const generate: AnswerContext = { ...CHAT, operation: "generate" };
    const context = Array.from({ length: 40_000 }, (_, index) => index * 7);
    const body = JSON.stringify({ prompt: "on", context });
    const next = readRequest(Buffer.from(body), { operation: "generate", dialect: "ollama", salt: SALT });
    const end = { model: "m", response: "", done: true, done_reason: "stop", context, eval_count: 2 };
    expect(next.conversation?.context).toBeDefined();
    expect(clues(lines({ model: "m", response: "a", done: false }, end), generate)?.context).toBe(
      next.conversation?.context,
    );
    expect(clues(JSON.stringify({ ...end, response: "x".repeat(9000) }), whole(generate))?.context).toBe(
      next.conversation?.context,
    );
  });
});
