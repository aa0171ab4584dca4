import type { RequestFacts } from "../types.ts";
import { createBodyPieces, type BodyPieces } from "./bodyPieces.ts";
import { createChunkList } from "./chunkList.ts";
import { BODY_LIMIT_BYTES, readRequest, type RequestContext } from "./request.ts";
import { createRequestThread, type ThreadBody } from "./requestThread.ts";

interface BodyContext extends RequestContext {
  /** What `Content-Length` announces, if anything: a body too large to be read is then not held at all. */
  contentLength?: number;
  /** Nobody else needs the chunks after `settled()` or `finish()`: the memory of long ones may move to the thread. */
  takesChunks?: boolean;
}

/** One request body being read beside its way to Ollama. */
export interface OpenBody {
  /**
   * True when the chunk is kept by reference: then it must not change, nor go. Else its bytes are copied, or of no
   * interest.
   */
  push(chunk: Uint8Array): boolean;
  /** With `takesChunks`: what has been pushed so far is needed by nobody else any more. */
  settled(): void;
  /** The body is whole. Facts of a small body are told before this returns. */
  finish(): void;
  /** The body will never be whole: its facts are `{unread: "cut"}`, told at once. Without effect after `finish()`. */
  abandon(): void;
}

export interface BodyReader {
  /** `onFacts` is called exactly once, after `finish()` or `abandon()`. */
  open(context: BodyContext, onFacts: (facts: RequestFacts) => void): OpenBody;
  /** Ends the thread. Bodies that are in it are told as `busy`. */
  close(): Promise<void>;
}

export interface BodyReaderOptions {
  /** The secret of this installation, for the hashes that conversations are followed by; none are made without. */
  salt?: string;
  workerUrl?: URL;
  /** A body up to here is parsed where it is, larger ones in the thread. */
  inlineLimitBytes?: number;
  /** Bytes of all bodies held at one time; a body that would pass it is given up as `busy`. */
  heldLimitBytes?: number;
  /** The thread ends after so long without work. */
  idleMs?: number;
}

const INLINE_LIMIT_BYTES = 256 * 1024;
/**
 * A large body goes to the thread in parts of this size as it comes: 20 MB of it, kept until it is whole, would count
 * towards the heap of the event loop's own thread and end in a full collection of some 10 ms.
 */
const PART_BYTES = 1024 * 1024;
const HELD_LIMIT_BYTES = 128 * 1024 * 1024;
/** A picture's bytes and texts stay in the thread for so long; starting one takes 50 ms of a processor. */
const IDLE_MS = 10_000;
const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./requestWorker.ts" : "./requestWorker.js",
  import.meta.url,
);

/**
 * Reads request bodies for their facts. Small ones are parsed at once; parsing a large one would hold up every stream,
 * so it is put aside as it comes, in memory that then moves to a thread.
 */
export function createBodyReader(options: BodyReaderOptions = {}): BodyReader {
  const { inlineLimitBytes = INLINE_LIMIT_BYTES, heldLimitBytes = HELD_LIMIT_BYTES } = options;
  const thread = createRequestThread({
    workerUrl: options.workerUrl ?? WORKER_URL,
    idleMs: options.idleMs ?? IDLE_MS,
  });
  let heldBytes = 0;

  function open(context: BodyContext, onFacts: (facts: RequestFacts) => void): OpenBody {
    const announcedBytes = context.contentLength ?? 0;
    let chunks = createChunkList();
    let pieces: BodyPieces | undefined;
    let inThread: ThreadBody | undefined;
    let bodyBytes = 0;
    let unread: RequestFacts["unread"] = announcedBytes > BODY_LIMIT_BYTES ? "too-large" : undefined;
    let finished = false;

    function release(): void {
      heldBytes -= bodyBytes;
      bodyBytes = 0;
      chunks = createChunkList();
      pieces = undefined;
    }

    function giveUp(reason: RequestFacts["unread"]): void {
      unread ??= reason;
      inThread?.drop();
      release();
    }

    function putAside(): BodyPieces {
      const aside = createBodyPieces({ takesChunks: context.takesChunks === true });
      for (const chunk of chunks.all()) {
        aside.add(chunk);
      }
      chunks = createChunkList();
      return aside;
    }

    function tell(facts: RequestFacts): void {
      release();
      onFacts(facts);
    }

    function moveToThread(from: BodyPieces): ThreadBody {
      inThread ??= thread.open((facts) => tell(facts ?? { unread: "busy" }));
      inThread.add(from.take());
      return inThread;
    }

    function readInThread(from: BodyPieces): void {
      // The caller's object may hold what cannot be copied to a thread.
      const { operation, dialect, contentEncoding } = context;
      moveToThread(from).finish({ operation, dialect, contentEncoding, salt: options.salt });
    }

    function readHere(): void {
      const facts = readRequest(Buffer.concat(chunks.all()), {
        ...context,
        salt: options.salt,
        unpackedLimitBytes: inlineLimitBytes,
      });
      // Small when packed, large when unpacked: the limit for the thread is another one.
      if (facts.unread === "too-large") {
        readInThread(putAside());
      } else {
        tell(facts);
      }
    }

    return {
      push(chunk) {
        if (finished || unread !== undefined) {
          return false;
        }
        if (bodyBytes + chunk.length > BODY_LIMIT_BYTES) {
          giveUp("too-large");
          return false;
        }
        if (heldBytes + chunk.length > heldLimitBytes) {
          giveUp("busy");
          return false;
        }
        heldBytes += chunk.length;
        bodyBytes += chunk.length;
        if (bodyBytes <= inlineLimitBytes) {
          chunks.add(chunk);
          return true;
        }
        pieces ??= putAside();
        return pieces.add(chunk);
      },
      settled() {
        if (pieces !== undefined && pieces.byteLength() >= PART_BYTES) {
          moveToThread(pieces);
        }
      },
      finish() {
        if (finished) {
          return;
        }
        finished = true;
        if (unread !== undefined) {
          tell({ unread });
        } else if (pieces !== undefined) {
          readInThread(pieces);
        } else {
          readHere();
        }
      },
      abandon() {
        if (!finished) {
          finished = true;
          giveUp("cut");
          tell({ unread: "cut" });
        }
      },
    };
  }

  return { open, close: () => thread.close() };
}
