/**
 * The shared vocabulary: every shape that crosses a stage or a socket.
 * No run-time code, no imports. Everything here is JSON-safe, so the page can use the same types.
 *
 * Names end in their unit: `…Bytes` integers, `…Ms` durations, `…At` epoch milliseconds,
 * `…Ratio` 0 to 1, `…PerSecond`, `…Tokens`. What is unknown is absent, never 0 or −1.
 *
 * One file, though a long one: the shapes name each other across all subjects, and a word of the program is found here.
 * In this order: exchanges, and what their requests and answers say; memory as it is read, estimated and loaded; chats;
 * alerts, forecasts and advice; answers to "will it fit"; models, health and the snapshot of a page; samples over time; who
 * is told of exchanges.
 */

/** Where a figure comes from. */
export type Provenance = "measured" | "derived" | "predicted" | "assumed";

/**
 * What a request asks of Ollama, by its path; `load` and `unload` are known from an empty body. `other`: everything
 * that neither computes nor moves a model.
 */
export type Operation =
  | "chat"
  | "generate"
  | "embed"
  | "load"
  | "unload"
  | "pull"
  | "push"
  | "create"
  | "transcribe"
  | "other";

/**
 * Whose API the request speaks: Ollama's own, OpenAI's chat and completions, OpenAI's responses, Anthropic's messages.
 */
export type Dialect = "ollama" | "openai" | "responses" | "anthropic" | "none";

/** What an exchange is for. All but `chat` and `single` are asked by a program on its own account. */
export type Purpose =
  | "chat"
  | "single"
  | "title"
  | "tags"
  | "follow-up"
  | "query"
  | "emoji"
  | "autocomplete"
  | "task";

/** What a live exchange is probably doing. A guess until the answer proves it. */
export type Stage = "queued" | "loading" | "prefill" | "decoding";

/** Closed list. The first three mean tokens were lost, and nothing else does. */
export type NoticeKind =
  | "truncated"
  | "messages-dropped"
  | "context-shifted"
  | "context-full"
  | "prompt-too-long"
  | "context-reduced"
  | "reloaded"
  | "queued"
  | "ended-early"
  | "upstream-error"
  | "estimated-usage"
  | "cliff-ahead"
  | "cliff"
  | "would-swap"
  | "guard-acted"
  | "retried";

/** Something that befell an exchange. `message` is made by us; it never quotes a prompt or an answer. */
export interface Notice {
  kind: NoticeKind;
  message?: string;
  tokensLost?: number;
  /** `cliff-ahead`: so many turns from this one. */
  turnsAhead?: number;
  /** `cliff-ahead` and `cliff`: the turn from which the chat no longer fits. */
  atTurn?: number;
  /** `cliff-ahead` and `cliff`: prompt processing of each turn from there on; `queued` and `reloaded`: the time it took. */
  ms?: number;
  /** `cliff-ahead` and `cliff`: what each turn from there on leaves in the runner's memory; `would-swap`: what is short. */
  bytes?: number;
  /** `context-reduced` and `guard-acted`: the context that was given instead of the one asked for; cuts: the one that would have kept all. */
  contextLength?: number;
  /** What to do about it, with the text to copy. */
  remedies?: Remedy[];
}

export interface ExchangeError {
  /** Machine word, e.g. `upstream-unreachable`, `upstream-cut`, `ended-early`, `interrupted`. */
  code: string;
  /** One sentence for people. Never contains prompt or answer text. */
  message: string;
}

/**
 * Ends once: `completed` when the answer said all it had to, `cancelled` when the client left or someone ended it,
 * else `failed`.
 */
export type ExchangeState =
  | { phase: "waiting"; stage?: Stage }
  | { phase: "streaming"; stage?: Stage; firstTokenAt: number }
  | { phase: "completed" | "cancelled"; endedAt: number; firstTokenAt?: number }
  | { phase: "failed"; endedAt: number; firstTokenAt?: number; error: ExchangeError };

export interface ClientInfo {
  /** Short name derived from the User-Agent, e.g. `open-webui`, `openai-js`. */
  name?: string;
  userAgent?: string;
  address?: string;
}

/** One request and its answer. */
export interface Exchange {
  id: string;
  /** When its head had come. */
  startedAt: number;
  operation: Operation;
  dialect: Dialect;
  method: string;
  /** Without the query. */
  path: string;
  model?: string;
  client: ClientInfo;
  /** A request that belongs to no conversation, such as an embedding, has none. */
  conversationId?: string;
  /** From 1. */
  turn?: number;
  /** What the request is for, where its shape tells. Side requests of a client are kept apart from the chats of people. */
  purpose?: Purpose;
  /** The exchange that this turn goes on from, where another one has gone on from it already: an edited or regenerated message. */
  branchOf?: string;
  /** As asked for, or the API's default. */
  stream?: boolean;
  /** HTTP's; absent until Ollama, or the guard in its place, has answered. */
  status?: number;
  /** `num_ctx` of the request; the window that it got is `contextLength`. */
  requestedContextLength?: number;
  /** Tokens that one slot of the runner holds, prompt and answer together. */
  contextLength?: number;
  /** Of them, filled at its end. */
  contextTokensUsed?: number;
  /** Of the bodies, without their framing. */
  requestBytes: number;
  responseBytes: number;
  /** Parts of the answer's body, as they came. */
  chunkCount: number;
  /** Events that carried answer text, a live stand-in for tokens until `usage` is known. */
  contentChunkCount?: number;
  state: ExchangeState;
  usage?: Usage;
  prediction?: ExchangePrediction;
  notices: Notice[];
}

/** What an exchange cost. Rates are derived by a function, never stored. */
export interface Usage {
  /** Of the prompt as the model read it, cached ones included. */
  inputTokens?: number;
  /** Derived: no Ollama endpoint reports it. */
  cachedInputTokens?: number;
  outputTokens?: number;
  /** As Ollama tells it; the parts below need not add up to it. */
  totalMs?: number;
  /** Waited for a slot, apart from load and prompt. Derived. */
  queueMs?: number;
  loadMs?: number;
  /** Reading the prompt, but for what was cached. */
  prefillMs?: number;
  /** Writing the answer. */
  decodeMs?: number;
  /** In the words of the dialect: `stop`, `length`, `max_tokens`, … */
  doneReason?: string;
  provenance: Provenance;
}

/** Each with what then happened; `actual` is absent until known. */
export interface ExchangePrediction {
  inputTokens?: Predicted;
  prefillMs?: Predicted;
  firstTokenMs?: Predicted;
  decodeTokensPerSecond?: Predicted;
  contextTokensUsed?: Predicted;
  runnerBytes?: Predicted;
  /** By how much the runner's memory grew with it. */
  grownBytes?: Predicted;
  /** On the turn that went over the cliff: said at least two turns before, where it could be. */
  cliffTurn?: Predicted;
  cliffPrefillMs?: Predicted;
  cliffBytes?: Predicted;
}

/**
 * A figure, the range in which it will probably lie, and, once known, what came. `errorRatio`: (predicted − actual) ÷
 * actual.
 */
export interface Predicted {
  predicted: number;
  low?: number;
  high?: number;
  actual?: number;
  errorRatio?: number;
}

/** What could be read of a request's body. Absent fields were absent or unreadable. */
export interface RequestFacts {
  model?: string;
  stream?: boolean;
  requestedContextLength?: number;
  /** Seconds; negative is for ever; 0 unloads. */
  keepAliveSeconds?: number;
  /** True when a generate has no prompt or a chat no messages: it only loads (or unloads) the model. */
  empty?: boolean;
  messageCount?: number;
  imageCount?: number;
  /** UTF-8 bytes of the text a model will read (prompt, messages, system). */
  textBytes?: number;
  /** The part of `textBytes` that comes after the last answer in the history: what is new in this turn. */
  newTextBytes?: number;
  maxOutputTokens?: number;
  includeUsage?: boolean;
  /** Runner options that force a reload when they change, as sent: `num_ctx`, `num_gpu`, … */
  runnerOptions?: Record<string, number | boolean>;
  /** Why the body was not read, when it was not. */
  unread?: "too-large" | "not-json" | "encoding" | "cut" | "busy";
  /** What tells which conversation it belongs to. */
  conversation?: ConversationClues;
}

/** What a request says of its conversation: salted hashes and sizes, nothing that can be read. */
export interface ConversationClues {
  /** The id that the client gives, from a header. */
  givenId?: string;
  /** On whose behalf a shared client asks, from a header. */
  userId?: string;
  /** The answer that a request of the Responses API goes on from. */
  previousResponseId?: string;
  /** The token list of an earlier answer of `/api/generate`. */
  context?: string;
  /** In order; instructions outside the list come first, as `system`. */
  messages?: MessageClue[];
  /** What its shape says it is for. */
  purpose?: Purpose;
}

export interface MessageClue {
  role: "system" | "user" | "assistant" | "tool";
  /** Of the text; of an assistant's message as {@link AnswerClues.text}. Absent when there is no text. */
  hash?: string;
  /** UTF-16 units of the text: a short message says little about who sent it. */
  length: number;
  /** Of the images in it. */
  media?: string;
}

/** What an answer says of its conversation: salted hashes of what the next request will bring back. */
export interface AnswerClues {
  responseId?: string;
  context?: string;
  /** Of the beginning of the text without its white space, which clients trim and wrap as they like. */
  text?: string;
}

/** How one answer ended, as far as its bytes tell. */
export interface AnswerFacts {
  /** The last event of the dialect was seen (`done:true`, `[DONE]`, `message_stop`, …) or a whole JSON body. */
  complete: boolean;
  usage?: Usage;
  /** Model as the answer names it. */
  model?: string;
  /** Events that carried text, thinking or a tool call. */
  contentChunkCount: number;
  /** Set when the answer itself says it failed, or ended in a way that is not success. */
  error?: ExchangeError;
  /** The wider operation the answer proves: `load` and `unload` are known by `done_reason`. */
  operation?: "load" | "unload";
  /** Ollama refused the prompt as longer than the context, and said by how much. */
  promptTooLong?: { promptTokens?: number; contextLength?: number };
  /** Tokens of prompt and answer as a generate lists them at its end: those of the prompt as it was sent, uncut. */
  contextTokens?: number;
  /** What the next request of the conversation will bring back. */
  conversation?: AnswerClues;
}

/** While memory is not visible no sample is made, only the state. */
export interface MemorySample {
  takenAt: number;
  totalBytes?: number;
  /** As the system says: free, and what it could drop without swapping. */
  availableBytes?: number;
  /** Bytes left before swapping starts; negative once the floor is passed. */
  headroomBytes?: number;
  /** At so much left the system begins to swap; `headroomBytes` is counted from here. */
  floorBytes?: number;
  /** Of all programs: memory that no file backs, which can only be swapped. */
  anonymousBytes?: number;
  /** Of all programs: pages of mapped files, weights among them. */
  mappedBytes?: number;
  swapTotalBytes?: number;
  swapUsedBytes?: number;
  swapOutBytesPerSecond?: number;
  swapInBytesPerSecond?: number;
  /** Pages of files that were dropped and are read again. */
  refaultBytesPerSecond?: number;
  /** Pages that the kernel looks at to find some to free. */
  kswapdScanPerSecond?: number;
  /** Share of the time in which a program waited for memory, and in which all did that could have run (Linux PSI). */
  pressureSomeRatio?: number;
  pressureFullRatio?: number;
  /** Of the control group with the least left, where any has a limit. */
  limit?: { bytes: number; usedBytes: number };
  gpus: GpuSample[];
  runners: RunnerSample[];
  /** What is missing from this reading and why, for people. */
  problems: string[];
}

/** One graphics card. */
export interface GpuSample {
  id: string;
  vendor: "nvidia" | "amd";
  name?: string;
  totalBytes?: number;
  usedBytes?: number;
  /** AMD: system memory the GPU uses (on APUs the weights lie here). */
  sharedTotalBytes?: number;
  sharedUsedBytes?: number;
}

/** Memory of one runner process on the host. */
export interface RunnerSample {
  pid: number;
  startedAt?: number;
  model?: string;
  /** Memory that no file backs: caches, buffers, weights that were read rather than mapped. */
  anonymousBytes: number;
  /** Resident pages of mapped files: mostly weights. */
  fileBytes: number;
  /** Shared memory (`RssShmem`), such as what drivers map. */
  sharedBytes: number;
  swappedBytes: number;
  /** Of graphics memory, its context included, where the driver tells it by process. */
  deviceBytes?: number;
}

/** A runner process as seen from outside: who it is and what it was started with. */
export interface RunnerProcess {
  pid: number;
  /** Kernel start time in clock ticks: (pid, ticks) is one process for ever. */
  startTicks?: number;
  /** The Ollama that started it, or what stands between them. */
  parentPid?: number;
  startedAt?: number;
  /** Hex digest from the `…/blobs/sha256-<hex>` path of its weights. */
  blobDigest?: string;
  modelPath?: string;
  argv: string[];
  settings: RunnerSettings;
}

/** What a runner was started with, as its arguments (and its environment) say. */
export interface RunnerSettings {
  /** Cells over all slots (`-c`). */
  totalContextLength?: number;
  parallel?: number;
  /** Of one slot. */
  contextLength?: number;
  kvCacheTypeK?: string;
  kvCacheTypeV?: string;
  flashAttention?: string;
  batch?: number;
  ubatch?: number;
  mmap?: boolean;
  offloadedLayers?: number;
  threads?: number;
  contextShift?: boolean;
  projector?: boolean;
  /** The few variables of its environment that bear on memory, where the environment may be read. */
  environment?: Record<string, string>;
}

/** Bytes in the host's memory and on graphics cards. */
export interface Split {
  hostBytes: number;
  deviceBytes: number;
}

/** What a load will take, computed before it is there. */
export interface MemoryEstimate {
  /** Absent when the tensor list is not known. */
  weightsBytes?: Split;
  kvCacheBytes: Split;
  /** Of layers whose state does not grow with the context. */
  recurrentStateBytes: Split;
  /** Buffers for intermediate results of one batch. */
  computeBytes: Split;
  /** Logits, on the host. */
  outputBytes?: number;
  /** The program itself and its tables. */
  processBytes?: number;
  /** How much copies of earlier prompts may add to it while it runs. */
  promptCacheLimitBytes?: number;
  /** What one more token of context costs. */
  kvBytesPerToken: number;
  caches: { kind: "full" | "sliding" | "recurrent"; layerCount: number; cells?: number; bytes: number }[];
  /** All that is allocated. */
  totalBytes?: number;
  /** The runner's expected resident memory right after the load: compute buffers are not touched yet. */
  residentHostBytes?: number;
  fit: {
    verdict: "fits" | "tight" | "overflows" | "unknown";
    headroomBytes?: number;
    shortBytes?: number;
    largestContextThatFits?: number;
  };
  speed?: {
    decodeTokensPerSecond: { depth: number; value: number; low: number; high: number }[];
    provenance: Provenance;
  };
  /** Every setting that entered it, with where its value comes from. */
  assumptions: { name: string; value: string; provenance: Provenance }[];
}

/** `restarted`: Ollama itself was, and its runners with it. */
export type LoadCause = "first" | "options" | "expired" | "evicted" | "crashed" | "restarted" | "unknown";

/** One start of a runner. */
export interface Load {
  id: string;
  /** When its process started; where processes are not seen, when the request came that forced it. */
  startedAt: number;
  /** When the runner was ready: listed, or heard of by its first token. */
  endedAt?: number;
  unloadedAt?: number;
  model: string;
  digest?: string;
  exchangeId?: string;
  cause: LoadCause;
  /** Of a load with the cause `options`: what the runner before was started with, and this one. */
  differences?: { option: string; from?: string; to?: string }[];
  contextLength?: number;
  parallel?: number;
  settings?: RunnerSettings;
  predicted?: MemoryEstimate;
  /** What `/api/ps` claims. A claim, not a measurement. */
  claimedBytes?: number;
  claimedDeviceBytes?: number;
  /** Why the claim is not what was measured, where it is not. */
  claimRemark?: string;
  /** Once its memory has settled. */
  measured?: RunnerSample;
  /** Who sent the request that forced it. */
  client?: string;
  /** Whose settings the runner before had, when this load changed them. */
  previousClient?: string;
  /** From the request that forced it to the runner's readiness. */
  loadMs?: number;
  /** What the runner before held and had to build again: cached prompts and state. */
  lostBytes?: number;
}

/** What a loaded runner's memory has become since its load, split by what grew. */
export interface Growth {
  loadId?: string;
  /** Resident now, less resident right after the load. */
  sinceLoadBytes: number;
  /** The largest first; `name` is one of the words in ARCHITECTURE.md, e.g. `prompt cache`, `compute`, `checkpoints`, `unexplained`. */
  parts: { name: string; bytes: number; provenance: Provenance }[];
  promptCacheBytes?: number;
  promptCacheLimitBytes?: number;
  /** By the next turn, and what it then was. */
  nextTurnBytes?: Predicted;
  /** One line for people. */
  text: string;
}

export interface Conversation {
  id: string;
  model?: string;
  client?: string;
  startedAt: number;
  lastAt: number;
  turnCount: number;
  contextLength?: number;
  /** At the end of its latest turn. */
  contextTokensUsed?: number;
  /** After the latest: until the window is full, until memory runs out. */
  turnsLeft?: { window?: Predicted; memory?: Predicted };
  notices: Notice[];
  turns?: Exchange[];
  purpose?: Purpose;
  /** Edited and regenerated turns. */
  branchCount?: number;
  /** Tokens that a turn adds, and the range seen. */
  tokensPerTurn?: Predicted;
  tokensLeft?: number;
  /** Which ends first. */
  endsFirst?: "window" | "memory";
  /** Of its slot: what its tokens fill, and what the load allocated for it. */
  occupiedBytes?: number;
  allocatedBytes?: number;
  /** How fast answers come, at the depth of its first turns and at that of its latest ones. */
  decodeDecay?: { firstTokensPerSecond: number; latestTokensPerSecond: number; latestDepthTokens: number };
  /** The turn from which it no longer fits, what each turn then costs, and what moves it. */
  cliff?: Cliff;
}

/** See `notices`: `cliff-ahead` and `cliff`. */
export interface Cliff {
  state: "ahead" | "reached";
  /** The first turn that does not fit. */
  atTurn: Predicted;
  prefillMs?: Predicted;
  firstTokenMs?: Predicted;
  bytesPerTurn?: Predicted;
  remedies: Remedy[];
}

/** One alert from its rise to its end. */
export interface Episode {
  id: string;
  /** The highest level reached so far. */
  level: "watch" | "warn" | "critical" | "swapping" | "thrashing";
  /** `memory` unless told: a device's memory is an episode of its own. */
  kind?: "memory" | "gpu";
  startedAt: number;
  endedAt?: number;
  /** The level now, while it is open. */
  currentLevel?: Episode["level"] | "ok";
  /** The sentence that is shown and sent. */
  text?: string;
  /** What was measured when it rose, the line it crossed, and the least since. */
  headroomBytes?: number;
  thresholdBytes?: number;
  lowestHeadroomBytes?: number;
  peakAt?: number;
  /** First measured swap-out or thrash. */
  swapAt?: number;
  /** The three largest contributors. */
  causes: { name: string; bytes: number }[];
  forecast?: { secondsToSwap?: number; turnsToSwap?: number; low?: number; high?: number };
  /** The cheapest first. */
  remedies: Remedy[];
  /**
   * `hit`: what was foretold came; `false-alarm`: nothing came, and nobody had made room. Absent where nothing was
   * foretold.
   */
  outcome?: "hit" | "false-alarm";
  /** From the warning to the event; 0 where it was raised by what was measured. */
  leadSeconds?: number;
  /** Raised by a drill, not by this machine. */
  drill?: boolean;
}

/** What headroom will be. Never made from readings older than 5 s. */
export interface Forecast {
  madeAt: number;
  secondsToSwap?: Predicted;
  turnsToSwap?: Predicted;
  /** Headroom at some seconds from now, with its band. */
  points: { atSeconds: number; headroomBytes: number; lowBytes: number; highBytes: number }[];
  /** What takes it, in bytes over the next two minutes, the largest first. Negative: relief. */
  causes: { name: string; bytes: number }[];
  /** A request that is about to load a model: what it needs against what there is. */
  announced?: { model: string; needBytes: number; headroomBytes?: number; shortBytes?: number };
}

/** Something worth doing, with the figures of this machine. */
export interface Advice {
  id: string;
  /** For example `fresh-chat`, `larger-context`, `smaller-context`, `cache-type`, `prompt-cache`, `fight`. */
  kind: string;
  text: string;
  model?: string;
  conversationId?: string;
  clients?: string[];
  savesBytes?: number;
  savesMs?: number;
  remedies: Remedy[];
}

/** Something to do, worded with this machine's figures, and what to paste where. */
export interface Remedy {
  id: string;
  text: string;
  savesBytes?: number;
  commands: { platform: "linux" | "macos" | "windows" | "docker" | "any"; text: string }[];
}

/** Requests of one kind to one model: of one client, over one API, with or without a context of their own. */
export interface ModelHabit {
  model: string;
  client?: string;
  dialect: Dialect;
  /** They say which context they want. */
  asksContext: boolean;
  requestCount: number;
  /** Those that lost tokens, or did not fit. */
  cutCount: number;
  /** The latest that was allocated. */
  contextLength?: number;
  /** The largest that one of the cut ones would have needed. */
  neededContextLength?: number;
  /** Prompt and answer together, by upper edges 2 % apart: how many requests took so many. */
  tokens: Record<number, number>;
  longestTokens?: number;
}

/** Loads of one model that had one cause, by who forced them. */
export interface ReloadHabit {
  model: string;
  cause: LoadCause;
  client?: string;
  previousClient?: string;
  differences?: Load["differences"];
  count: number;
  lastAt: number;
  loadMs?: number;
  lostBytes?: number;
  dialect?: Dialect;
  asksContext?: boolean;
}

/** How models were used over some days, from the record: what advice is made from. */
export interface Habits {
  models: ModelHabit[];
  /** Without first loads. */
  reloads: ReloadHabit[];
}

/** The answer to "will it fit": the estimate, how fast, and the sum. */
export interface PredictAnswer extends MemoryEstimate {
  model?: string;
  /** What this machine's own measurements make of the formula's figure. */
  calibratedResidentHostBytes?: number;
  /** Depth at which a token takes twice as long as with an empty context, once measured. */
  halfSpeedDepthTokens?: number;
  explanation: ExplainLine[];
}

/** One line of the sum, with what to multiply to check it by hand. */
export interface ExplainLine {
  label: string;
  formula: string;
  bytes: number;
  provenance: Provenance;
}

/** One configuration of a what-if table. */
export interface WhatIfCell {
  /** Absent: the file as it is. */
  quantization?: string;
  kvCacheType: string;
  contextLength: number;
  totalBytes?: number;
  kvCacheBytes: number;
  fit: MemoryEstimate["fit"];
  /** With the context full. */
  decodeTokensPerSecond?: { value: number; low: number; high: number };
  /** Published, of another model: what this file type lost there. */
  loss?: QuantizationLoss;
}

/** What a file type lost, measured on one model. */
export interface QuantizationLoss {
  perplexityRatio: number;
  imatrix: boolean;
  model: string;
  source: string;
}

/** A model as it is now, for whoever follows its chats, as far as it is known. */
export interface ChatModel {
  /** What learned figures are filed under. */
  key: string;
  /** Of one slot, as listed. */
  contextLength?: number;
  trainedContextLength?: number;
  slots?: number;
  loadId?: string;
  /** Of the load, or of what a load with the context that was asked about would be. */
  estimate?: MemoryEstimate;
  /** How far sliding layers look back. */
  windowTokens?: number;
}

/** A model that Ollama says is loaded, with what was really measured beside it. */
export interface LoadedModel {
  name: string;
  digest?: string;
  contextLength?: number;
  expiresAt?: number;
  claimedBytes?: number;
  claimedDeviceBytes?: number;
  settings?: RunnerSettings;
  measured?: RunnerSample;
  predicted?: MemoryEstimate;
  loadId?: string;
  growth?: Growth;
}

/** Ollama, as it answers us. */
export interface UpstreamHealth {
  url: string;
  reachable: boolean;
  version?: string;
  /** Why it is not reachable, or that it is not Ollama. */
  problem?: string;
  /** What to do about it, a sentence. */
  fix?: string;
}

/** The record on disk. */
export interface RecorderHealth {
  /** `off`: nothing is kept on purpose or because the directory cannot be used; `stalled`: the disk does not answer. */
  state: "on" | "memory" | "stalled" | "off";
  /** Rows waiting to be written. */
  pending: number;
  /** Rows given up since the start. */
  dropped: number;
  problem?: string;
}

/** `replay`: a recording is played; `remote`: Ollama runs elsewhere, so that its memory is not visible. */
export interface SamplerHealth {
  state: "on" | "replay" | "remote" | "off";
  problems: string[];
}

/** How one of the ways in which alerts are sent is doing. */
export interface ChannelHealth {
  channel: string;
  type: string;
  /** `untried` until the first message. */
  state: "untried" | "ok" | "failing";
  deliveredAt?: number;
  /** Messages given up since the start. */
  failedCount: number;
  problem?: string;
}

/** `degraded` when something that a user relies on is not working. */
export interface Health {
  status: "ok" | "degraded";
  version: string;
  upstream: UpstreamHealth;
  recorder: RecorderHealth;
  sampler: SamplerHealth;
  channels?: ChannelHealth[];
}

/** One sentence and a state: is memory safe, and what is going on. */
export interface Verdict {
  state: "idle" | "queued" | "loading" | "prefill" | "decoding" | "swapping" | "unknown";
  level: "ok" | Episode["level"] | "unknown";
  text: string;
}

/** What the machine is made of; read once at the start. */
export interface Machine {
  osName: string;
  architecture: string;
  coreCount: number;
  totalBytes: number;
  cpuModel?: string;
  memoryType?: string;
  memoryTransfersPerSecond?: number;
  memoryModuleCount?: number;
  gpuNames: string[];
}

/** Everything a page needs to be drawn from nothing. */
export interface Snapshot {
  takenAt: number;
  version: string;
  machine?: Machine;
  /** Set when the upstream or the machine is simulated. */
  simulated?: boolean;
  verdict: Verdict;
  headroomBytes?: number;
  sample?: MemorySample;
  models: LoadedModel[];
  exchanges: Exchange[];
  episodes: Episode[];
  /** The latest first; at most 20. */
  conversations?: Conversation[];
  forecast?: Forecast;
  health: Health;
}

/** What the live connection sends: a snapshot first, then changes; each names its thing in full. */
export type ServerMessage =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "exchange"; exchange: Exchange }
  | { type: "sample"; sample: MemorySample; forecast?: Forecast }
  | { type: "load"; load: Load }
  | { type: "conversation"; conversation: Conversation }
  | { type: "alert"; alert: Episode }
  | { type: "removed"; kind: "exchange" | "load" | "conversation" | "alert"; id: string };

/** The numeric fields of a sample, as a roll-up keeps their extremes. */
export type SampleExtremes = Partial<
  Record<
    | "availableBytes"
    | "headroomBytes"
    | "anonymousBytes"
    | "mappedBytes"
    | "swapUsedBytes"
    | "swapOutBytesPerSecond"
    | "swapInBytesPerSecond"
    | "refaultBytesPerSecond"
    | "kswapdScanPerSecond"
    | "pressureSomeRatio"
    | "pressureFullRatio",
    number
  >
>;

/**
 * One point of a memory series. A raw sample has no `spanSeconds`. A rolled-up one holds averages in the sample's own
 * fields and the extremes beside them, so that a short dip of headroom or a burst of swap-out is never averaged away.
 */
export interface SamplePoint extends MemorySample {
  spanSeconds?: number;
  min?: SampleExtremes;
  max?: SampleExtremes;
}

/** What becomes of a request that was held back to be judged. */
export type GuardDecision =
  | { act: "pass" }
  /** It would have been refused or capped, and its override lifted that. */
  | { act: "allow"; notice: Notice }
  | { act: "refuse"; notice: Notice; message: string }
  | { act: "cap"; notice: Notice; contextLength: number };

/** Whoever watches exchanges. One that throws is switched off and counted, never felt. */
export interface ExchangeObserver {
  name: string;
  onStart?(exchange: Exchange): void;
  /** The request has been read: model, options and operation are known now, the answer may not have begun. */
  onRequest?(exchange: Exchange, facts: RequestFacts): void;
  onUpdate?(exchange: Exchange): void;
  /** `answer` is absent when there was none. */
  onEnd?(exchange: Exchange, answer?: AnswerFacts): void;
}

/** A logger is three functions. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}
