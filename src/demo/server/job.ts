/** What the parts of the simulated server hand each other. */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Random } from "../random.ts";
import type { Body } from "./body.ts";
import type { GenerationEndpoint, GenerationRequest } from "./generationRequest.ts";
import type { Library } from "./library.ts";
import type { Reply } from "./reply.ts";
import type { Override } from "./script.ts";

export interface Engine {
  clock: Clock;
  random: Random;
  version: string;
  library: Library;
  scheduler: Scheduler;
  /** Digests of uploaded blobs. */
  blobs: Set<string>;
  /** Above 1 while the machine swaps: everything takes that much longer. */
  slowdown: () => number;
}

/** One request on its way through the server. */
export interface Call {
  request: IncomingMessage;
  method: string;
  /** Without the query. */
  path: string;
  /** Reads it once; a later call gets the same. */
  body(): Promise<Body>;
  /** Reads it without keeping it. */
  skipBody(): Promise<void>;
  reply: Reply;
  override: Override;
  /** Fires when the client has gone. */
  signal: AbortSignal;
}

export interface GenerationJob {
  endpoint: GenerationEndpoint;
  request: GenerationRequest;
  dialect: Dialect;
  reply: Reply;
  override: Override;
  signal: AbortSignal;
}
