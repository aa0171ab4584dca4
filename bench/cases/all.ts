/** Every case, in the order in which they run. */
import { bigRequestCase } from "./bigRequest.ts";
import type { BenchCase } from "./case.ts";
import { eventLoopCase } from "./eventLoop.ts";
import { firstByteCase } from "./firstByte.ts";
import { idleCase } from "./idle.ts";
import { predictCase } from "./predict.ts";
import { requestSizeCase } from "./requestSize.ts";
import { sameBytesCase } from "./sameBytes.ts";
import { streamsCase } from "./streams.ts";
import { throughputCase } from "./throughput.ts";
import { uploadCase } from "./upload.ts";

/** Those in OpenAI's dialect are there for gateways that know no other. */
export const ALL_CASES: readonly BenchCase[] = [
  idleCase,
  sameBytesCase("same-bytes", "ollama"),
  firstByteCase("first-byte", "ollama"),
  streamsCase("streams-1", 1, "ollama"),
  streamsCase("streams-8", 8, "ollama"),
  streamsCase("streams-64", 64, "ollama"),
  throughputCase("throughput", "ollama"),
  requestSizeCase,
  bigRequestCase,
  eventLoopCase,
  uploadCase,
  predictCase,
  sameBytesCase("same-bytes-v1", "openai"),
  firstByteCase("first-byte-v1", "openai"),
  streamsCase("streams-8-v1", 8, "openai"),
  throughputCase("throughput-v1", "openai"),
];
