/** `/api/chat` and `/api/generate`: one JSON object a line, durations in nanoseconds. */
import { goJson, goTime } from "../server/goJson.ts";
import type { WholeAnswer } from "../server/reply.ts";
import type { AnswerContext, Dialect, GenerationEnd } from "./dialect.ts";

const JSON_TYPE = "application/json; charset=utf-8";
/** What Go prints for a time that was never set. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

export const nativeChat: Dialect = nativeDialect((text) => ({
  message: { role: "assistant", content: text },
}));
export const nativeGenerate: Dialect = nativeDialect((text) => ({ response: text }));

export function nativeFailure(status: number, message: string): WholeAnswer {
  return { status, contentType: JSON_TYPE, body: goJson({ error: message }) };
}

/** A request without a prompt loads or unloads: one object, even when a stream was asked for. */
export function loadAnswer(
  kind: "chat" | "generate",
  about: { model: string; reason: "load" | "unload"; now: number },
): WholeAnswer {
  const content = kind === "chat" ? { message: { role: "assistant", content: "" } } : { response: "" };
  const body = { model: about.model, created_at: goTime(about.now), ...content, done: true };
  return { status: 200, contentType: JSON_TYPE, body: goJson({ ...body, done_reason: about.reason }) };
}

function nativeDialect(content: (text: string) => Record<string, unknown>): Dialect {
  return {
    streamHeaders: [["Content-Type", "application/x-ndjson"]],
    failure: nativeFailure,
    begin: (context) => {
      const object = (text: string, done: boolean): Record<string, unknown> => ({
        model: context.model,
        created_at: goTime(context.now()),
        ...content(text),
        done,
      });
      return {
        closingWrites: 1,
        open: () => [],
        piece: (text) => line(object(text, false)),
        close: (end) => [line({ ...object("", true), ...metrics(end) })],
        broken: (message) => [line({ error: message })],
        whole: (text, end) => ({
          status: 200,
          contentType: JSON_TYPE,
          body: goJson(
            end === undefined
              ? unfinished(context, text, content)
              : { ...object(text, true), ...metrics(end) },
          ),
        }),
      };
    },
  };
}

/** The repeat guard ends an answer like this: no error, no `done:true`. */
function unfinished(
  context: AnswerContext,
  text: string,
  content: (text: string) => Record<string, unknown>,
): Record<string, unknown> {
  const nothing = text === "";
  return {
    model: nothing ? "" : context.model,
    created_at: nothing ? ZERO_TIME : goTime(context.now()),
    ...content(text),
    done: false,
  };
}

function metrics(end: GenerationEnd): Record<string, unknown> {
  return {
    done_reason: end.reason,
    context: end.context,
    total_duration: nanoseconds(end.totalMs),
    load_duration: nanoseconds(end.loadMs),
    prompt_eval_count: end.promptTokens,
    prompt_eval_duration: nanoseconds(end.prefillMs),
    eval_count: end.outputTokens,
    eval_duration: nanoseconds(end.decodeMs),
  };
}

export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

function line(value: unknown): string {
  return `${goJson(value)}\n`;
}
