/** Saying the answer: token after token at the model's pace, each on the wire at once if the client wants a stream. */
import type { GenerationEnd } from "../dialects/dialect.ts";
import type { Runner } from "../engine/runner.ts";
import { textPieces, tokenId } from "../engine/tokens.ts";
import { prose } from "../prose.ts";
import { jitter, TIMING_NOISE, wholeBetween, type Random } from "../random.ts";
import { RequestError } from "./failures.ts";
import type { Engine, GenerationJob } from "./job.ts";

export interface PlannedAnswer {
  pieces: string[];
  /** The client's own limit ends it. */
  limited: boolean;
}

export interface Said {
  text: string;
  ids: number[];
  reason: "stop" | "length";
  decodeMs: number;
}

export interface AnswerWriter {
  piece(text: string): Promise<void>;
  /** The runner is gone: a status while nothing has been sent, what the dialect leaves on the wire after that. */
  fail(message: string): Promise<void>;
  /** Without `end` the answer stops before it is done. */
  finish(text: string, end: GenerationEnd | undefined): Promise<void>;
}

const USUAL_ANSWER_TOKENS = { least: 40, most: 120 };
/** Given a limit the model talks up to it, within reason: what a chat grows by is then up to the client. */
const LONGEST_ANSWER_TOKENS = 2000;

export function planAnswer(random: Random, job: GenerationJob): PlannedAnswer {
  const { request, override } = job;
  const usual = wholeBetween(random, USUAL_ANSWER_TOKENS.least, USUAL_ANSWER_TOKENS.most);
  const limit = request.maxOutputTokens;
  const count = override.chunkCount ?? Math.min(limit ?? usual, LONGEST_ANSWER_TOKENS);
  const pieces = textPieces(prose(random, count));
  if (override.hugeLineBytes !== undefined && pieces.length > 1) {
    pieces[1] = "x".repeat(override.hugeLineBytes);
  }
  return { pieces, limited: override.chunkCount === undefined && count === limit };
}

/** Undefined when the script let the runner fail: the writer has said so and nothing more is to be sent. */
export async function say(
  engine: Engine,
  job: GenerationJob,
  about: { runner: Runner; planned: PlannedAnswer; writer: AnswerWriter },
): Promise<Said | undefined> {
  const { clock, random, slowdown } = engine;
  const { runner, planned, writer } = about;
  const said: Said = { text: "", ids: [], reason: planned.limited ? "length" : "stop", decodeMs: 0 };
  const startedAt = clock.monotonic();
  for (const piece of planned.pieces) {
    if (job.override.failAfterChunks?.chunks === said.ids.length) {
      if (job.override.killRunner === true) engine.scheduler.kill(runner.model);
      await writer.fail(job.override.failAfterChunks.message);
      return undefined;
    }
    const id = tokenId(piece);
    if (!runner.slot.append(id)) return { ...said, reason: "length" };
    said.decodeMs += runner.decodeMs(runner.slot.tokens()) * jitter(random, TIMING_NOISE) * slowdown();
    await clock.work(Math.max(0, startedAt + said.decodeMs - clock.monotonic()), job.signal);
    said.ids.push(id);
    said.text += piece;
    await writer.piece(piece);
  }
  return said;
}

export function createAnswerWriter(engine: Engine, job: GenerationJob, pieceCount: number): AnswerWriter {
  const { request, reply, dialect, override } = job;
  const format = dialect.begin({
    model: request.model,
    body: request.body,
    includeUsage: request.includeUsage,
    promptCharacters: request.promptCharacters,
    now: engine.clock.now,
    random: engine.random,
  });
  if (!request.stream) {
    return {
      piece: () => Promise.resolve(),
      fail: (message) => Promise.reject(new RequestError(500, message)),
      finish: (text, end) => reply.whole(format.whole(text, end)),
    };
  }
  let started = false;
  /** Headers leave with the first token, not before. */
  const start = async (): Promise<void> => {
    if (started) return;
    started = true;
    const opening = format.open();
    const closing = override.withoutFinal === true ? 0 : format.closingWrites;
    await reply.open(dialect.streamHeaders, opening.length + pieceCount + closing);
    for (const text of opening) await reply.write(text);
  };
  return {
    piece: async (text) => {
      await start();
      await reply.write(format.piece(text));
    },
    fail: async (message) => {
      if (!started) throw new RequestError(500, message);
      for (const text of format.broken(message)) await reply.write(text);
      await reply.end();
    },
    finish: async (_text, end) => {
      await start();
      for (const text of end === undefined ? [] : format.close(end)) await reply.write(text);
      await reply.end();
    },
  };
}
