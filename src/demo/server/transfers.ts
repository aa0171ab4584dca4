/** `/api/pull`, `/api/push` and `/api/create`: progress a line, the last of which says how it ended. */
import { CATALOGUE } from "../engine/catalogue.ts";
import { digestOf, type SimulatedModel } from "../engine/models.ts";
import type { JsonObject } from "./body.ts";
import { isObject } from "./body.ts";
import { goJson } from "./goJson.ts";
import type { Call, Engine } from "./job.ts";
import { fullName } from "./library.ts";

export type TransferKind = "pull" | "push" | "create";

interface Step {
  line: Record<string, unknown>;
  /** Time before it. */
  ms?: number;
}

const BYTES_PER_MS = 30_000;
const PROGRESS_LINES = 20;
const NDJSON = [["Content-Type", "application/x-ndjson"]] as const;

export async function transfer(
  engine: Engine,
  call: Call,
  asked: { kind: TransferKind; body: JsonObject },
): Promise<void> {
  const steps = PLANS[asked.kind](engine, asked.body);
  if (asked.body.stream === false) {
    for (const step of steps) await engine.clock.work(step.ms ?? 0, call.signal);
    const last = steps.at(-1)?.line ?? {};
    const status = "error" in last ? 500 : 200;
    await call.reply.whole({ status, contentType: "application/json", body: goJson(last) });
    return;
  }
  await call.reply.open(NDJSON, steps.length);
  for (const step of steps) {
    await engine.clock.work(step.ms ?? 1, call.signal);
    await call.reply.write(`${goJson(step.line)}\n`);
  }
  await call.reply.end();
}

const PLANS: Record<TransferKind, (engine: Engine, body: JsonObject) => Step[]> = {
  pull: (engine, body) => {
    const name = nameOf(body);
    const model =
      engine.library.find(name)?.model ?? CATALOGUE.find((known) => known.name === fullName(name));
    if (model === undefined) return [{ line: { status: "pulling manifest" } }, unknownManifest(name)];
    if (engine.library.find(name) === undefined) engine.library.add(name, model);
    return [
      { line: { status: "pulling manifest" } },
      ...progress(model, "pulling"),
      ...statuses("verifying sha256 digest", "writing manifest", "success"),
    ];
  },
  push: (engine, body) => {
    const name = nameOf(body);
    const model = engine.library.find(name)?.model;
    if (model === undefined) {
      const path = `/usr/share/ollama/.ollama/models/manifests/registry.ollama.ai/${name.replace(":", "/")}`;
      return [
        ...statuses("retrieving manifest", "couldn't retrieve manifest"),
        { line: { error: `open ${path}: no such file or directory` } },
      ];
    }
    return [
      ...statuses("retrieving manifest"),
      ...progress(model, "pushing"),
      ...statuses("pushing manifest", "success"),
    ];
  },
  create: (engine, body) => {
    const name = nameOf(body);
    const from = typeof body.from === "string" ? body.from : undefined;
    if (from !== undefined) {
      const parent = engine.library.find(from);
      if (parent === undefined) return [{ line: { status: "pulling manifest" } }, unknownManifest(from)];
      engine.library.add(name, parent.model, parent.name);
      return layers(parent.model, name, "using existing layer");
    }
    const digest = isObject(body.files) ? Object.values(body.files).find(isString) : undefined;
    if (digest === undefined) return [{ line: { error: "neither 'from' or 'files' was specified" } }];
    if (!engine.blobs.has(digest)) {
      const path = `/usr/share/ollama/.ollama/models/blobs/${digest.replace(":", "-")}`;
      return [...statuses("parsing GGUF"), { line: { error: `open ${path}: no such file or directory` } }];
    }
    const model = smallestModel();
    engine.library.add(name, model);
    return [
      ...statuses("parsing GGUF", "verifying conversion"),
      ...layers(model, name, "creating new layer"),
    ];
  },
};

/** What an uploaded file becomes: its bytes are counted, not read. */
function smallestModel(): SimulatedModel {
  return CATALOGUE.reduce((least, model) => (model.weightsBytes < least.weightsBytes ? model : least));
}

function layers(model: SimulatedModel, name: string, word: string): Step[] {
  return [
    ...statuses(
      `${word} sha256:${model.blobDigest}`,
      `creating new layer sha256:${digestOf(`settings of ${name}`)}`,
    ),
    ...statuses("writing manifest", "success"),
  ];
}

function progress(model: SimulatedModel, word: string): Step[] {
  const digest = `sha256:${model.blobDigest}`;
  const status = `${word} ${model.blobDigest.slice(0, 12)}`;
  return Array.from({ length: PROGRESS_LINES + 1 }, (_, index) => {
    const completed = Math.round((model.fileBytes * index) / PROGRESS_LINES);
    const line = {
      status,
      digest,
      total: model.fileBytes,
      completed: completed === 0 ? undefined : completed,
    };
    return { line, ms: index === 0 ? 200 : model.fileBytes / PROGRESS_LINES / BYTES_PER_MS };
  });
}

function unknownManifest(name: string): Step {
  const [model, tag] = fullName(name).split(":");
  return {
    line: {
      error: `pull model manifest: Get "https://registry.ollama.ai/v2/library/${model}/manifests/${tag}": dial tcp: lookup registry.ollama.ai: no such host`,
    },
  };
}

function statuses(...texts: string[]): Step[] {
  return texts.map((status) => ({ line: { status } }));
}

/** `name` is the older spelling of `model`. */
function nameOf(body: JsonObject): string {
  return [body.model, body.name].find((value): value is string => isString(value) && value !== "") ?? "";
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
