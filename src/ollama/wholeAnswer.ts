import type { Dialect, Operation } from "../types.ts";
import { readAnswerEvent, type AnswerEvent } from "./answerEvent.ts";
import { asName, asObject, type JsonObject } from "./lenient.ts";
import { textOf } from "./messageText.ts";
import { compatibleUsage, isZeroUsage, ollamaUsage, stopReason } from "./usage.ts";

/**
 * Reads the one JSON object of an answer that was not streamed. `final` is false where Ollama answered 200 but its
 * generation had ended without an end: its repeat guard and a dying runner do that.
 */
export function readWholeAnswer(
  value: JsonObject,
  { dialect, operation }: { dialect: Dialect; operation: Operation },
): AnswerEvent {
  const event = readAnswerEvent(value, dialect);
  if (event.errorText !== undefined) {
    return event;
  }
  if (operation === "embed" || operation === "transcribe") {
    return { model: event.model, usage: embedUsage(value, dialect), final: true };
  }
  switch (dialect) {
    case "ollama":
      // A request for the rendered prompt only is answered without any generation.
      return { ...event, final: event.final === true || value["_debug_info"] !== undefined };
    case "openai":
      return {
        ...event,
        text: openaiText(value),
        blank: false,
        final: event.doneReason !== undefined || !isZeroUsage(value["usage"]),
      };
    case "responses":
      return readResponse(value);
    case "anthropic": {
      const doneReason = stopReason(value["stop_reason"]);
      const final = doneReason !== undefined || !isZeroUsage(value["usage"]);
      return {
        model: asName(value["model"]),
        text: textOf(value["content"]),
        usage: compatibleUsage(value["usage"]),
        doneReason,
        final,
      };
    }
    case "none":
      return { final: true };
  }
}

/** Here `status` is `completed` whatever happened; only the counts of zero give an unfinished answer away. */
function readResponse(value: JsonObject): AnswerEvent {
  const incomplete = asObject(value["incomplete_details"]);
  return {
    model: asName(value["model"]),
    text: responseText(value["output"]),
    responseId: asName(value["id"]),
    usage: compatibleUsage(value["usage"]),
    doneReason: stopReason(incomplete?.["reason"]),
    final: !isZeroUsage(value["usage"]),
  };
}

function openaiText(value: JsonObject): string {
  const choice = asObject(Array.isArray(value["choices"]) ? value["choices"][0] : undefined);
  return textOf(asObject(choice?.["message"])?.["content"]);
}

function responseText(output: unknown): string {
  return Array.isArray(output) ? output.map((item) => textOf(asObject(item)?.["content"])).join("") : "";
}

function embedUsage(value: JsonObject, dialect: Dialect): AnswerEvent["usage"] {
  return dialect === "ollama" ? ollamaUsage(value) : compatibleUsage(value["usage"]);
}
