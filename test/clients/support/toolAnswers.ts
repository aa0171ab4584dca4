/** Answers with a call of a tool, in each dialect, after recordings of v0.33: the simulated Ollama has no templates for them. */
import type { Script } from "../../../src/demo/server/script.ts";

export const TOOL_MODEL = "tool-caller:latest";
const CREATED = "2026-11-21T07:11:59.881791225Z";
const CALL = { name: "get_weather", arguments: { city: "Madrid" } };

const FIGURES = {
  total_duration: 2530241250,
  load_duration: 1748853929,
  prompt_eval_count: 201,
  prompt_eval_duration: 314444000,
  eval_count: 29,
  eval_duration: 456084000,
};

const message = {
  role: "assistant",
  content: "",
  tool_calls: [{ id: "call_1", function: { index: 0, ...CALL } }],
};
const native = { model: TOOL_MODEL, created_at: CREATED };

const OPENAI = {
  id: "chatcmpl-526",
  object: "chat.completion",
  created: 1795245123,
  model: TOOL_MODEL,
  system_fingerprint: "fp_ollama",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "",
        tool_calls: [
          {
            id: "call_1",
            index: 0,
            type: "function",
            function: { ...CALL, arguments: JSON.stringify(CALL.arguments) },
          },
        ],
      },
      finish_reason: "tool_calls",
    },
  ],
  usage: { prompt_tokens: 201, completion_tokens: 29, total_tokens: 230 },
};

const ANTHROPIC = {
  id: "msg_81ce629364a07565be116dc2",
  type: "message",
  role: "assistant",
  model: TOOL_MODEL,
  content: [{ type: "tool_use", id: "call_1", name: CALL.name, input: CALL.arguments }],
  stop_reason: "tool_use",
  usage: { input_tokens: 201, output_tokens: 29 },
};

const json = (value: object) => ({
  status: 200,
  contentType: "application/json; charset=utf-8",
  body: `${JSON.stringify(value)}\n`,
});

/** `streams`: the client always asks for a stream, whatever its caller wants. */
export function toolAnswers(streams: boolean): Script {
  const lines = [
    { ...native, message, done: false },
    { ...native, message: { role: "assistant", content: "" }, done: true, done_reason: "stop", ...FIGURES },
  ];
  const chat = streams
    ? {
        status: 200,
        contentType: "application/x-ndjson",
        body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
      }
    : json({ ...native, message, done: true, done_reason: "stop", ...FIGURES });
  return [
    { when: { model: TOOL_MODEL, path: "/api/chat" }, override: { answer: chat } },
    { when: { model: TOOL_MODEL, path: "/v1/chat/completions" }, override: { answer: json(OPENAI) } },
    { when: { model: TOOL_MODEL, path: "/v1/messages" }, override: { answer: json(ANTHROPIC) } },
  ];
}
