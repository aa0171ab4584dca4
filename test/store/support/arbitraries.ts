/** Every shape the recorder keeps, with every field present or absent. */
import fc from "fast-check";
import type {
  Exchange,
  ExchangeState,
  GpuSample,
  Load,
  MemoryEstimate,
  MemorySample,
  Predicted,
  RunnerSample,
  Usage,
} from "../../../src/types.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const time = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
/** JSON turns −0 into 0, and no figure of ours depends on the difference. */
const figure = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Object.is(value, -0) ? 0 : value));

function some<T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

/** fast-check makes records without a prototype; rows are plain objects, as after the way to the worker. */
function plain<T>(row: T): T {
  return structuredClone(row);
}

const stage = fc.constantFrom("queued", "loading", "prefill", "decoding");
const provenance = fc.constantFrom("measured", "derived", "predicted", "assumed");
const error = fc.record({ code: word, message: text });

const state: fc.Arbitrary<ExchangeState> = fc.oneof(
  fc.record({ phase: fc.constant("waiting"), stage }, { requiredKeys: ["phase"] }),
  fc.record(
    { phase: fc.constant("streaming"), stage, firstTokenAt: time },
    { requiredKeys: ["phase", "firstTokenAt"] },
  ),
  fc.record(
    { phase: fc.constantFrom("completed", "cancelled"), endedAt: time, firstTokenAt: time },
    { requiredKeys: ["phase", "endedAt"] },
  ),
  fc.record(
    { phase: fc.constant("failed"), endedAt: time, firstTokenAt: time, error },
    { requiredKeys: ["phase", "endedAt", "error"] },
  ),
);

const usage: fc.Arbitrary<Usage> = fc.record(
  {
    inputTokens: count,
    cachedInputTokens: count,
    outputTokens: count,
    totalMs: figure,
    queueMs: figure,
    loadMs: figure,
    prefillMs: figure,
    decodeMs: figure,
    doneReason: text,
    provenance,
  },
  { requiredKeys: ["provenance"] },
);

const predicted: fc.Arbitrary<Predicted> = fc.record(
  { predicted: figure, low: figure, high: figure, actual: figure, errorRatio: figure },
  { requiredKeys: ["predicted"] },
);

export const exchanges: fc.Arbitrary<Exchange> = fc
  .tuple(
    fc.record({
      id: fc.uuid(),
      startedAt: time,
      operation: fc.constantFrom("chat", "generate", "embed", "load", "pull", "transcribe", "other"),
      dialect: fc.constantFrom("ollama", "openai", "responses", "anthropic", "none"),
      method: word,
      path: word,
      client: some({ name: text, userAgent: text, address: text }),
      requestBytes: count,
      responseBytes: count,
      chunkCount: count,
      state,
      notices: fc.array(
        fc.record(
          {
            kind: fc.constantFrom("truncated", "queued", "estimated-usage"),
            message: text,
            tokensLost: count,
          },
          { requiredKeys: ["kind"] },
        ),
        { maxLength: 3 },
      ),
    }),
    some({
      model: text,
      conversationId: text,
      turn: count,
      purpose: fc.constantFrom("chat", "single", "title", "autocomplete"),
      branchOf: word,
      stream: fc.boolean(),
      status: fc.integer({ min: 100, max: 599 }),
      requestedContextLength: fc.integer(),
      contextLength: count,
      contextTokensUsed: count,
      contentChunkCount: count,
      usage,
      prediction: some({ inputTokens: predicted, firstTokenMs: predicted, runnerBytes: predicted }),
    }),
  )
  .map(([required, optional]) => plain({ ...required, ...optional } as Exchange));

const runners: fc.Arbitrary<RunnerSample> = fc.record(
  {
    pid: fc.integer({ min: 1, max: 4_194_304 }),
    startedAt: time,
    model: text,
    anonymousBytes: count,
    fileBytes: count,
    sharedBytes: count,
    swappedBytes: count,
  },
  { requiredKeys: ["pid", "anonymousBytes", "fileBytes", "sharedBytes", "swappedBytes"] },
);

const gpus: fc.Arbitrary<GpuSample> = fc.record(
  {
    id: word,
    vendor: fc.constantFrom("nvidia", "amd"),
    name: text,
    totalBytes: count,
    usedBytes: count,
    sharedTotalBytes: count,
    sharedUsedBytes: count,
  },
  { requiredKeys: ["id", "vendor"] },
);

/** Samples at a time the caller gives. */
export function samplesAt(takenAt: fc.Arbitrary<number>): fc.Arbitrary<MemorySample> {
  return fc
    .tuple(
      fc.record({
        takenAt,
        gpus: fc.array(gpus, { maxLength: 2 }),
        runners: fc.array(runners, { maxLength: 3 }),
        problems: fc.array(text, { maxLength: 2 }),
      }),
      some({
        totalBytes: count,
        availableBytes: count,
        headroomBytes: fc.maxSafeInteger(),
        floorBytes: count,
        anonymousBytes: count,
        mappedBytes: count,
        swapTotalBytes: count,
        swapUsedBytes: count,
        swapOutBytesPerSecond: figure,
        swapInBytesPerSecond: figure,
        refaultBytesPerSecond: figure,
        kswapdScanPerSecond: figure,
        pressureSomeRatio: figure,
        pressureFullRatio: figure,
        limit: fc.record({ bytes: count, usedBytes: count }),
      }),
    )
    .map(([required, optional]) => plain({ ...required, ...optional } as MemorySample));
}

export const samples = samplesAt(time);

const split = fc.record({ hostBytes: count, deviceBytes: count });

const estimate: fc.Arbitrary<MemoryEstimate> = fc.record({
  kvCacheBytes: split,
  recurrentStateBytes: split,
  computeBytes: split,
  kvBytesPerToken: figure,
  caches: fc.array(fc.record({ kind: fc.constantFrom("full", "sliding"), layerCount: count, bytes: count })),
  fit: fc.record({ verdict: fc.constantFrom("fits", "tight", "overflows", "unknown") }),
  assumptions: fc.array(fc.record({ name: text, value: text, provenance })),
});

export const loads: fc.Arbitrary<Load> = fc
  .tuple(
    fc.record({
      id: fc.uuid(),
      startedAt: time,
      model: word,
      cause: fc.constantFrom("first", "options", "expired", "evicted", "crashed", "restarted", "unknown"),
    }),
    some({
      endedAt: time,
      unloadedAt: time,
      digest: text,
      exchangeId: text,
      differences: fc.array(fc.record({ option: word, from: text, to: text }, { requiredKeys: ["option"] })),
      contextLength: count,
      parallel: count,
      settings: some({ totalContextLength: count, mmap: fc.boolean(), kvCacheTypeK: text }),
      predicted: estimate,
      claimedBytes: count,
      claimedDeviceBytes: count,
      measured: runners,
      client: text,
      previousClient: text,
      loadMs: count,
      lostBytes: count,
    }),
  )
  .map(([required, optional]) => plain({ ...required, ...optional } as Load));
