/**
 * The answer on the wire: headers in Ollama's order, one chunk a write, slowed down by a slow reader, and bent by the
 * script. Everything stops with the signal, which fires when the client has gone.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as waitReal } from "node:timers/promises";
import type { DeathPhase, Override } from "./script.ts";

export type Header = readonly [name: string, value: string];

export interface WholeAnswer {
  status: number;
  headers?: readonly Header[];
  contentType?: string;
  body?: string | Uint8Array;
}

export interface Reply {
  /** A body known in full: with its length up to 2048 bytes, as one chunk above, as Go's server does it. */
  whole(answer: WholeAnswer): Promise<void>;
  /** Starts a stream of this many writes; the number only tells where its middle is. */
  open(headers: readonly Header[], plannedWrites: number, status?: number): Promise<void>;
  write(text: string): Promise<void>;
  end(): Promise<void>;
}

/** Longer bodies are chunked by Go unless the handler says how long they are. */
const LONGEST_KNOWN_LENGTH = 2048;

export function createReply(parts: {
  response: ServerResponse;
  override: Override;
  signal: AbortSignal;
  /** Headers that go with every answer to this request. */
  commonHeaders: readonly Header[];
  now: () => number;
  /** The script ends the connection now. */
  onCut(): void;
}): Reply {
  const { response, override, signal } = parts;
  const cut = createCutter(override.cutBytes);
  const trailers = override.trailers ?? [];
  const trailing = trailers.length > 0;
  let written = 0;
  let planned = 0;

  const die = async (phase: DeathPhase): Promise<void> => {
    if (override.die !== phase) return;
    await flushed(response);
    parts.onCut();
    if (override.reset === true) response.socket?.resetAndDestroy();
    else response.socket?.destroySoon();
    await untilAborted(signal);
  };
  const head = async (status: number, headers: readonly Header[]): Promise<void> => {
    if (override.delayBeforeHeadersMs !== undefined) await pause(override.delayBeforeHeadersMs, signal);
    if (override.hang === "before-headers") await untilAborted(signal);
    for (const each of override.interim ?? []) writeInterim(response, each);
    const announced: Header[] = trailing ? [["Trailer", trailers.map(([name]) => name).join(", ")]] : [];
    response.writeHead(status, [...headers, ...announced].flat());
    if (override.die === "headers") response.flushHeaders();
    await die("headers");
  };
  const send = async (bytes: Buffer): Promise<void> => {
    if (written === Math.floor(planned / 2)) await die("middle");
    if (written === planned - 1) await die("before-last");
    if (written > 0 && override.delayBetweenChunksMs !== undefined) {
      await pause(override.delayBetweenChunksMs, signal);
    }
    signal.throwIfAborted();
    written += 1;
    if (!response.write(bytes)) await once(response, "drain", { signal });
    await die("first-chunk");
    if (override.hang === "after-first-chunk") await untilAborted(signal);
  };
  const finish = async (): Promise<void> => {
    for (const piece of cut.rest()) await send(piece);
    if (trailing) response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
    response.end();
  };
  const dated = (headers: readonly Header[]): Header[] => [
    ...[...parts.commonHeaders, ...headers].toSorted(([left], [right]) =>
      left < right ? -1 : left > right ? 1 : 0,
    ),
    ["Date", new Date(parts.now()).toUTCString()],
  ];

  return {
    whole: async (answer) => {
      const body = Buffer.from(answer.body ?? "");
      const type: Header[] = answer.contentType === undefined ? [] : [["Content-Type", answer.contentType]];
      const known = body.length <= LONGEST_KNOWN_LENGTH && !trailing && answer.status !== 204;
      const length: Header[] = known ? [["Content-Length", String(body.length)]] : [];
      await head(answer.status, [...dated([...(answer.headers ?? []), ...type]), ...length]);
      const pieces = override.cutBytes === undefined ? wholePieces(body, override.die) : cut.take(body);
      planned = pieces.length;
      for (const piece of pieces) await send(piece);
      await finish();
    },
    open: async (headers, plannedWrites, status = 200) => {
      planned = plannedWrites;
      await head(status, dated(headers));
      if (plannedWrites === 0) response.flushHeaders();
    },
    write: async (text) => {
      for (const piece of cut.take(Buffer.from(text))) await send(piece);
    },
    end: finish,
  };
}

/** A body that is to end in its middle is sent as its first byte, up to its half, up to its last byte, and that. */
function wholePieces(body: Buffer, die: DeathPhase | undefined): Buffer[] {
  if (body.length === 0) return [];
  if (die === undefined || body.length < 4) return [body];
  const half = Math.floor(body.length / 2);
  return [body.subarray(0, 1), body.subarray(1, half), body.subarray(half, -1), body.subarray(-1)];
}

/** Splits a run of bytes at the wanted sizes; what does not fill a piece waits for more. */
function createCutter(sizes: number | readonly number[] | undefined): {
  take(bytes: Buffer): Buffer[];
  rest(): Buffer[];
} {
  if (sizes === undefined) return { take: (bytes) => [bytes], rest: () => [] };
  const wanted = (typeof sizes === "number" ? [sizes] : sizes).map((size) => Math.max(1, size));
  let waiting: Buffer = Buffer.alloc(0);
  let next = 0;
  return {
    take: (bytes) => {
      const pieces: Buffer[] = [];
      waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      for (;;) {
        const size = wanted[next % wanted.length] ?? 1;
        if (waiting.length < size) return pieces;
        pieces.push(waiting.subarray(0, size));
        waiting = waiting.subarray(size);
        next += 1;
      }
    },
    rest: () => {
      const last = waiting;
      waiting = Buffer.alloc(0);
      return last.length === 0 ? [] : [last];
    },
  };
}

/** Node has no call for an arbitrary 1xx; before the head the socket is ours. */
function writeInterim(
  response: ServerResponse,
  interim: { status: number; headers?: readonly Header[] },
): void {
  const fields = (interim.headers ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  response.socket?.write(`HTTP/1.1 ${interim.status} Interim\r\n${fields}\r\n`);
}

async function flushed(response: ServerResponse): Promise<void> {
  while (response.writableLength > 0) await waitReal(1);
}

/** What cannot be waited for in simulated time: a script's delays are real. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await waitReal(ms, undefined, { signal, ref: false });
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  signal.throwIfAborted();
  throw new Error("aborted");
}
