/** The guard between a scripted machine and scripted runners: what counts, what is counted as free, and in which order. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createGuard, type GuardParts, type LoadGuard } from "../../../src/alerts/guard/guard.ts";
import { createSimulatedOllama } from "../../../src/demo/simulatedOllama.ts";
import { canonicalName } from "../../../src/models/names.ts";
import { createOllamaClient } from "../../../src/ollama/client.ts";
import { shapeFromShow } from "../../../src/predict/shapeFromShow.ts";
import type { ModelShape } from "../../../src/predict/modelShape.ts";
import type { SettingsInput } from "../../../src/predict/settingsSource.ts";
import type {
  Exchange,
  GuardDecision,
  LoadedModel,
  MemorySample,
  Notice,
  RequestFacts,
} from "../../../src/types.ts";
import { keepingLog } from "../channels/support.ts";

const GIB = 2 ** 30;
const shapes = new Map<string, ModelShape>();
/** About 5.3 GiB at 4096, 21 GiB at 131072. */
const LARGE = "llama3.1:8b";
/** About 1.2 GiB. */
const SMALL = "qwen2.5-coder:1.5b";

beforeAll(async () => {
  const ollama = createSimulatedOllama({ instant: true });
  const client = createOllamaClient({ url: (await ollama.listen()).url });
  for (const name of [LARGE, SMALL]) {
    shapes.set(canonicalName(name), shapeFromShow(await client.show(name)));
  }
  await ollama.close();
});

let sample: MemorySample | undefined;
let loaded: LoadedModel[];
let listed: { name: string; contextLength?: number }[] | undefined;
let live: Exchange[];
let environment: Record<string, string> | undefined;
let noticed: Notice[];
let settingsOverrides: Partial<SettingsInput>;
let count = 0;

beforeEach(() => {
  sample = { takenAt: 0, totalBytes: 16 * GIB, headroomBytes: 6 * GIB, gpus: [], runners: [], problems: [] };
  loaded = [];
  listed = undefined;
  live = [];
  environment = undefined;
  noticed = [];
  settingsOverrides = {};
});

function guardOf(mode: GuardParts["mode"], overrides: Partial<GuardParts> = {}): LoadGuard {
  return createGuard({
    mode,
    marginBytes: 0,
    canonicalName,
    sample: () => sample,
    loadedModels: () => loaded,
    listNow: async () => listed ?? loaded,
    settingsFor: async ({ model, ...query }) => {
      const shape = shapes.get(canonicalName(model));
      return shape === undefined
        ? undefined
        : { shape, query, backend: "cpu", ollamaVersion: "0.33.0", environment, ...settingsOverrides };
    },
    calibrate: (_model, bytes) => bytes,
    live: () => live,
    now: () => 0,
    log: keepingLog(),
    ollamaVersion: () => "0.33.0",
    noticed: (exchange) => noticed.push(...exchange.notices),
    ...overrides,
  });
}

function request(model: string, contextLength?: number, overrides: Partial<Exchange> = {}) {
  count += 1;
  const exchange: Exchange = {
    id: `e${count}`,
    startedAt: count,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model,
    client: {},
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
    ...overrides,
  };
  live.push(exchange);
  const facts: RequestFacts = {
    model,
    ...(contextLength !== undefined && {
      requestedContextLength: contextLength,
      runnerOptions: { num_ctx: contextLength },
    }),
  };
  return { exchange, facts };
}

async function judge(
  guard: LoadGuard,
  { exchange, facts }: ReturnType<typeof request>,
  overridden = false,
): Promise<GuardDecision> {
  const decision = await guard.judge(exchange, facts, overridden);
  if (decision.act === "refuse") {
    live = live.filter(({ id }) => id !== exchange.id);
  }
  return decision;
}

const acts = async (guard: LoadGuard, ...requests: ReturnType<typeof request>[]): Promise<string[]> =>
  (await Promise.all(requests.map((one) => judge(guard, one)))).map(({ act }) => act);

const holding = (name: string, bytes: number, contextLength = 4096): LoadedModel => ({
  name,
  contextLength,
  expiresAt: 10_000_000,
  measured: { pid: 1, anonymousBytes: bytes, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 },
});

describe("loads at the same time", () => {
  it("count what the ones before them will take", async () => {
    sample!.headroomBytes = 6 * GIB;
    const guard = guardOf("refuse");
    expect(await acts(guard, request(LARGE, 4096), request(SMALL, 4096))).toEqual(["pass", "refuse"]);
  });

  it("of one model are one load", async () => {
    const guard = guardOf("refuse");
    expect(
      await acts(guard, request(LARGE, 4096), request(LARGE, 4096), request(LARGE.toUpperCase(), 4096)),
    ).toEqual(["pass", "pass", "pass"]);
    // While it loads, memory falls: whoever waits for the same load is not refused for it.
    sample!.headroomBytes = GIB;
    expect(await acts(guard, request(LARGE, 4096))).toEqual(["pass"]);
  });

  it("stop counting as memory shows them, and when they are over", async () => {
    const guard = guardOf("refuse");
    const first = request(LARGE, 4096);
    await judge(guard, first);
    sample!.headroomBytes = 2 * GIB;
    sample!.runners = [
      { pid: 1, model: LARGE, anonymousBytes: 5 * GIB, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 },
    ];
    expect(await acts(guard, request(SMALL, 4096))).toEqual(["pass"]);
    sample!.runners = [];
    first.exchange.state = { phase: "completed", endedAt: 1 };
    expect(await acts(guard, request(SMALL, 2048))).toEqual(["pass"]);
  });
});

describe("what the load replaces", () => {
  it("is the model's own runner", async () => {
    sample!.headroomBytes = GIB;
    loaded = [holding(LARGE, 5.3 * GIB)];
    expect(await acts(guardOf("refuse"), request(LARGE, 8192), request(LARGE, 65_536))).toEqual([
      "pass",
      "refuse",
    ]);
  });

  it("is nothing known where neither measure nor claim tells its size: then nothing is done", async () => {
    sample!.headroomBytes = GIB;
    loaded = [{ name: LARGE, contextLength: 4096 }];
    expect(await acts(guardOf("refuse"), request(LARGE, 65_536))).toEqual(["pass"]);
  });

  it("is no other model on a CPU, unless there may be no more", async () => {
    sample!.headroomBytes = GIB;
    loaded = [holding(SMALL, 6 * GIB)];
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["refuse"]);
    environment = { OLLAMA_MAX_LOADED_MODELS: "1" };
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
    environment = undefined;
    loaded = ["a", "b", "c"].map((name) => holding(name, 5 * GIB));
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
  });

  it("is whatever idles on a graphics card's machine, where Ollama makes room by itself", async () => {
    sample!.headroomBytes = GIB;
    loaded = [holding(SMALL, 6 * GIB)];
    settingsOverrides = { backend: "cuda" };
    sample!.gpus = [{ id: "0", vendor: "nvidia", totalBytes: 2 * GIB, usedBytes: 2 * GIB }];
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
    loaded = [];
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["refuse"]);
    sample!.gpus = [{ id: "0", vendor: "nvidia", totalBytes: 24 * GIB, usedBytes: GIB }];
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
  });
});

describe("it does nothing", () => {
  const tight = (): void => {
    sample!.headroomBytes = 0;
  };
  it.each<[string, () => void, Partial<Exchange>]>([
    ["without a reading", () => (sample = undefined), {}],
    ["where headroom is not told", () => delete sample!.headroomBytes, {}],
    ["about a model that Ollama does not describe", tight, { model: "nobody" }],
    ["about an unload", tight, { operation: "unload" }],
    ["about a pull", tight, { operation: "pull" }],
    ["about a request without a model", tight, { model: undefined }],
    [
      "where the weights are not known",
      () => {
        tight();
        settingsOverrides = { shape: { ...(shapes.get(LARGE) as ModelShape), weights: undefined } };
      },
      {},
    ],
    [
      "about an architecture that nobody knows",
      () => {
        tight();
        settingsOverrides = { shape: { ...(shapes.get(LARGE) as ModelShape), known: false } };
      },
      {},
    ],
    [
      "when Ollama says that it has been loaded since",
      () => {
        tight();
        listed = [{ name: LARGE, contextLength: 4096 }];
      },
      {},
    ],
  ])("%s", async (_name, prepare, exchange) => {
    prepare();
    expect(await acts(guardOf("refuse"), request(LARGE, 4096, exchange))).toEqual(["pass"]);
  });

  it("when nobody answers in time, and says so", async () => {
    const guard = guardOf("refuse", { settingsFor: () => new Promise(() => {}) });
    const asked = request(LARGE, 131_072);
    expect(await acts(guard, asked)).toEqual(["pass"]);
  }, 10_000);

  it("when something of it breaks", async () => {
    const guard = guardOf("refuse", {
      sample: () => {
        throw new Error("broken");
      },
    });
    expect(await acts(guard, request(LARGE, 131_072))).toEqual(["pass"]);
  });

  it("about a larger default than the least: it was only supposed", async () => {
    // With 48 GiB of graphics memory Ollama's default context is 262144, unless set in an environment nobody can read.
    sample!.headroomBytes = 30 * GIB;
    settingsOverrides = { vramBytes: 48 * GIB };
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
    expect(await acts(guardOf("refuse"), request(LARGE, 131_072))).toEqual(["pass"]);
    sample!.headroomBytes = 15 * GIB;
    expect(await acts(guardOf("refuse"), request(LARGE))).toEqual(["pass"]);
    expect(await acts(guardOf("refuse"), request(LARGE, 131_072))).toEqual(["refuse"]);
  });
});

describe("cap", () => {
  it("is counted with the context that it gives", async () => {
    sample!.headroomBytes = 7 * GIB;
    const guard = guardOf("cap");
    const first = await judge(guard, request(LARGE, 131_072));
    expect(first).toMatchObject({ act: "cap", notice: { kind: "guard-acted" } });
    // Nearly all is spoken for now.
    expect(await judge(guard, request(SMALL, 32_768))).toEqual({ act: "pass" });
    expect(noticed.map(({ kind }) => kind)).toEqual(["would-swap"]);
  });

  it("is the same for all who ask while it loads, and gone once the model has unloaded", async () => {
    sample!.headroomBytes = 7 * GIB;
    const guard = guardOf("cap");
    const decisions = await Promise.all(
      [131_072, 65_536, 131_072].map((context) => judge(guard, request(LARGE, context))),
    );
    const [first] = decisions as unknown as [{ contextLength: number }];
    expect(decisions.map((decision) => "contextLength" in decision && decision.contextLength)).toEqual(
      Array(3).fill(first.contextLength),
    );
    loaded = [holding(LARGE, 6 * GIB, first.contextLength)];
    guard.modelsSeen(loaded);
    sample!.headroomBytes = 100 * GIB;
    expect(await judge(guard, request(LARGE, 131_072))).toMatchObject({ act: "cap" });
    loaded = [];
    guard.modelsSeen(loaded);
    live = [];
    expect(await acts(guard, request(LARGE, 131_072))).toEqual(["pass"]);
  });

  it("never raises, and leaves other dialects alone", async () => {
    sample!.headroomBytes = GIB;
    const guard = guardOf("cap");
    expect(await acts(guard, request(LARGE, 2048), request(LARGE, undefined, { dialect: "openai" }))).toEqual(
      ["pass", "pass"],
    );
    expect(noticed.map(({ kind }) => kind)).toContain("would-swap");
  });
});

it("names what a hostile model name would be, without its control characters", async () => {
  const name = `${LARGE}\u001b[2J\r\nX: y`;
  shapes.set(canonicalName(name), shapes.get(LARGE) as ModelShape);
  sample!.headroomBytes = GIB;
  const decision = await judge(guardOf("refuse"), request(name));
  expect(decision).toMatchObject({ act: "refuse" });
  // oxlint-disable-next-line no-control-regex
  expect("message" in decision && decision.message).not.toMatch(/[\u0000-\u001f]/);
});
