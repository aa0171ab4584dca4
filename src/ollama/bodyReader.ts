import type { RequestFacts } from "../types.ts";
import { BODY_LIMIT_BYTES, readRequest, type RequestContext } from "./request.ts";
import { createRequestThread, type ThreadBody } from "./requestThread.ts";

export interface BodyContext extends RequestContext {
  /** What `Content-Length` announces, if anything: a body too large to be read is then not held at all. */
  contentLength?: number;
}

/** One request body being read beside its way to Ollama. */
export interface OpenBody {
  /** The chunk is kept by reference and must not change afterwards; Node's own chunks never do. */
  push(chunk: Uint8Array): void;
  /** The body is whole. Facts of a small body are told before this returns. */
  finish(): void;
  /** The body will never be whole: its facts are `{unread: "cut"}`, told at once. Without effect after `finish()`. */
  abandon(): void;
}

export interface BodyReader {
  /** `onFacts` is called exactly once, after `finish()` or `abandon()`, or when the reader is closed. */
  open(context: BodyContext, onFacts: (facts: RequestFacts) => void): OpenBody;
  close(): Promise<void>;
}

export interface BodyReaderOptions {
  workerUrl?: URL;
  /** A body up to here is parsed where it is, larger ones in the thread. */
  inlineLimitBytes?: number;
  /** Bytes of all bodies held at one time; a body that would pass it is given up as `busy`. */
  heldLimitBytes?: number;
  /** The thread ends after so long without work. */
  idleMs?: number;
}

const INLINE_LIMIT_BYTES = 256 * 1024;
const HELD_LIMIT_BYTES = 128 * 1024 * 1024;
const IDLE_MS = 60_000;
const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./requestWorker.ts" : "./requestWorker.js",
  import.meta.url,
);

/**
 * Reads request bodies for their facts. Small ones are parsed at once; parsing a large one would hold up every stream,
 * so it is copied, piece by piece as it comes, to a thread of its own.
 */
export function createBodyReader(options: BodyReaderOptions = {}): BodyReader {
  const inlineLimitBytes = options.inlineLimitBytes ?? INLINE_LIMIT_BYTES;
  const heldLimitBytes = options.heldLimitBytes ?? HELD_LIMIT_BYTES;
  const thread = createRequestThread({
    workerUrl: options.workerUrl ?? WORKER_URL,
    idleMs: options.idleMs ?? IDLE_MS,
  });
  let heldBytes = 0;

  function open(context: BodyContext, onFacts: (facts: RequestFacts) => void): OpenBody {
    let chunks: Uint8Array[] = [];
    let bodyBytes = 0;
    let inThread: ThreadBody | undefined;
    let givenUp: RequestFacts["unread"] =
      (context.contentLength ?? 0) > BODY_LIMIT_BYTES ? "too-large" : undefined;
    let finished = false;
    let told = false;

    function tell(facts: RequestFacts): void {
      if (told) return;
      told = true;
      release();
      onFacts(facts);
    }

    function release(): void {
      heldBytes -= bodyBytes;
      bodyBytes = 0;
      chunks = [];
    }

    function giveUp(reason: RequestFacts["unread"]): void {
      givenUp = reason;
      inThread?.drop();
      release();
    }

    function moveToThread(): ThreadBody {
      const body = thread.open((facts) => {
        if (facts !== undefined) tell(facts);
        else if (finished) tell({ unread: "busy" });
        else giveUp("busy");
      });
      for (const chunk of chunks) body.add(chunk);
      chunks = [];
      return body;
    }

    function readHere(): void {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      const facts = readRequest(bytes, { ...context, unpackedLimitBytes: inlineLimitBytes });
      // Small when packed, large when unpacked: the thread's own limit decides.
      if (facts.unread === "too-large") moveToThread().finish(contextOf(context));
      else tell(facts);
    }

    return {
      push(chunk) {
        if (finished || givenUp !== undefined) return;
        if (bodyBytes + chunk.length > BODY_LIMIT_BYTES) return giveUp("too-large");
        if (heldBytes + chunk.length > heldLimitBytes) return giveUp("busy");
        heldBytes += chunk.length;
        bodyBytes += chunk.length;
        if (inThread !== undefined) return inThread.add(chunk);
        chunks.push(chunk);
        if (bodyBytes > inlineLimitBytes) inThread = moveToThread();
      },
      finish() {
        if (finished) return;
        finished = true;
        if (givenUp !== undefined) tell({ unread: givenUp });
        else if (inThread !== undefined) inThread.finish(contextOf(context));
        else readHere();
      },
      abandon() {
        if (finished) return;
        finished = true;
        if (givenUp === undefined) giveUp("cut");
        tell({ unread: "cut" });
      },
    };
  }

  return { open, close: () => thread.close() };
}

/** Only what the thread needs crosses to it: the caller's object may hold what cannot be copied. */
function contextOf({ operation, dialect, contentEncoding }: BodyContext): RequestContext {
  return { operation, dialect, contentEncoding };
}
