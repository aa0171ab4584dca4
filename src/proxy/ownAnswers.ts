/** What clients are answered by ourselves, where Ollama answers nothing. */
import type { ServerResponse } from "node:http";
import { errorDialect } from "../ollama/endpoints.ts";
import { errorBody } from "../ollama/upstreamError.ts";
import type { Exchange } from "../types.ts";
import type { Admission } from "./admission.ts";

/** An error in the shape of the API that was asked. A client that has part of an answer, or is gone, is cut off. */
export function answerError(
  outgoing: ServerResponse,
  { path, method }: Pick<Exchange, "path" | "method">,
  answer: { status: number; message: string; headers?: Record<string, string> },
): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy();
    return;
  }
  const body = errorBody(errorDialect(path), answer);
  outgoing.writeHead(answer.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    ...answer.headers,
  });
  outgoing.end(method === "HEAD" ? undefined : body);
}

export function answerNotAdmitted(
  outgoing: ServerResponse,
  refusal: Extract<Admission, { admitted: false }>,
): void {
  outgoing.sendDate = false;
  // The words are Ollama's, so are the fields: Node would add its own.
  outgoing.removeHeader("connection");
  outgoing.removeHeader("transfer-encoding");
  outgoing.writeHead(refusal.status, refusal.statusText, refusal.headers);
  outgoing.end(refusal.body);
}
