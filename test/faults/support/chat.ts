/** An Ollama that streams a short answer, and a chat through Plimsoll that must come out whole whatever else breaks. */
import type { Socket } from "node:net";
import { expect } from "vitest";
import { startRawUpstream, type RawUpstream } from "../../support/rawUpstream.ts";

export const HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
export const END = "0\r\n\r\n";

export function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export const TOKEN_LINE = '{"model":"m","response":"x","done":false}\n';
export const DONE_LINE =
  '{"model":"m","response":"","done":true,"done_reason":"stop","total_duration":3000000,"prompt_eval_count":4,"eval_count":3}\n';
const TOKENS = 3;

/** Everything a client gets of one answer. */
export const WHOLE_ANSWER = TOKEN_LINE.repeat(TOKENS) + DONE_LINE;

/** Streams {@link WHOLE_ANSWER} to each request, one token every `tokenMs`. */
export async function startStreamer(tokenMs = 0): Promise<RawUpstream> {
  return startRawUpstream((connection) => {
    let answered = 0;
    connection.onChunk(() => {
      const requests = connection.received().toString("latin1").split('"prompt":').length - 1;
      for (; answered < requests; answered += 1) void stream(connection.socket, tokenMs);
    });
  });
}

async function stream(socket: Socket, tokenMs: number): Promise<void> {
  socket.write(HEAD);
  for (let token = 0; token < TOKENS; token += 1) {
    socket.write(framed(TOKEN_LINE));
    if (tokenMs > 0) await new Promise((resolve) => setTimeout(resolve, tokenMs));
  }
  socket.write(framed(DONE_LINE) + END);
}

/** One chat; fails unless every byte of the answer arrives. */
export async function chat(url: string): Promise<void> {
  const answer = await fetch(`${url}/api/generate`, { method: "POST", body: '{"model":"m","prompt":"x"}' });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(WHOLE_ANSWER);
}

export async function chats(url: string, count: number, atOnce = 16): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await chat(url);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

export async function health(url: string) {
  return (await (await fetch(`${url}/plimsoll/healthz`)).json()) as {
    status: string;
    recorder: { state: string; pending: number; dropped: number; problem?: string };
    sampler: { state: string; problems: string[] };
    upstream: { reachable: boolean };
  };
}
