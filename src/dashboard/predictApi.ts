/** `/plimsoll/api/predict`, `predict/table`, `accuracy` and `calibration`. */
import type { Context, Hono } from "hono";
import type { MemoryEstimate } from "../types.ts";
import { bodyJson } from "./bodyText.ts";
import { BadParameter, integer, oneOf, readQuery, text, type Reader } from "./parameters.ts";
import { problemResponse, type Problem } from "./problem.ts";

/** What the routes need; a refusal is thrown with `status`, `code` and a message. */
export interface PredictParts {
  predict(query: Record<string, unknown>): Promise<MemoryEstimate>;
  predictTable(query: Record<string, unknown>): Promise<object>;
  accuracy(): object;
  resetCalibration(model: string | undefined): void;
}

/** A verbose `/api/show` answer is some megabytes. */
const MOST_BODY_BYTES = 32 * 1024 * 1024;
const MOST_TOKENS = 100_000_000;

const flag: Reader<boolean> = {
  expects: "true or false",
  read: (value) =>
    value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : undefined,
};

const settings = {
  model: text(),
  contextLength: integer(1, MOST_TOKENS),
  totalContextLength: integer(1, MOST_TOKENS),
  parallel: integer(1, 1024),
  kvCacheTypeK: text(32),
  kvCacheTypeV: text(32),
  batch: integer(1, 1_000_000),
  ubatch: integer(1, 1_000_000),
  flashAttention: flag,
  unifiedKv: flag,
  fullSlidingWindow: flag,
  offloadedLayers: integer(0, 100_000),
  mmap: flag,
  draftModel: text(),
  quantization: text(32),
  ollamaVersion: text(64),
  backend: oneOf(["cpu", "cuda", "metal"] as const),
};

const AXES = ["contexts", "kvCacheTypes", "quantizations"] as const;

export function addPredictApi(app: Hono, parts: PredictParts): void {
  app.get("/plimsoll/api/predict", (c) => answer(c, () => parts.predict(readQuery(c.req.url, settings))));
  app.post("/plimsoll/api/predict", (c) =>
    answer(c, async () => {
      const { show, ...rest } = await readBody(c);
      return parts.predict({ ...readFields(rest), ...readShow(show) });
    }),
  );
  app.post("/plimsoll/api/predict/table", (c) =>
    answer(c, async () => {
      const { show, contexts, kvCacheTypes, quantizations, ...rest } = await readBody(c);
      const axes = readAxes({ contexts, kvCacheTypes, quantizations });
      return parts.predictTable({ ...readFields(rest), ...axes, ...readShow(show) });
    }),
  );
  app.get("/plimsoll/api/accuracy", (c) => c.json(parts.accuracy()));
  app.delete("/plimsoll/api/calibration", (c) => {
    const { model } = readQuery(c.req.url, { model: text() });
    parts.resetCalibration(model);
    return c.json({ reset: model ?? "all models" });
  });
}

async function answer(context: Context, ask: () => Promise<object>): Promise<Response> {
  try {
    return context.json(await ask());
  } catch (error) {
    const problem = refusal(error);
    if (problem === undefined) throw error;
    return problemResponse(problem);
  }
}

function refusal(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !("status" in error) || !("code" in error)) return undefined;
  const { status, code } = error;
  return (status === 400 || status === 404 || status === 503) && typeof code === "string"
    ? { status, code, message: error.message }
    : undefined;
}

async function readBody(context: Context): Promise<Record<string, unknown>> {
  const body = await bodyJson(context, MOST_BODY_BYTES);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BadParameter(
      'The body must be a JSON object, such as {"model":"gemma3","contextLength":8192}.',
    );
  }
  return Object.fromEntries(Object.entries(body));
}

/** Fields of a body by the same rules as parameters of a query. */
function readFields(fields: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of given) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
      throw new BadParameter(`Field "${name.slice(0, 80)}" must be a text, a number, true or false.`);
    }
  }
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return readQuery(`http://x/?${search.toString()}`, settings);
}

function readShow(show: unknown): { show?: object } {
  if (show === undefined) return {};
  if (typeof show !== "object" || show === null || Array.isArray(show)) {
    throw new BadParameter('"show" must be an /api/show answer: a JSON object with "model_info".');
  }
  return { show };
}

function readAxes(axes: Record<(typeof AXES)[number], unknown>): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const name of AXES) {
    const values = axes[name];
    if (values === undefined) continue;
    const kind = name === "contexts" ? "number" : "string";
    if (!Array.isArray(values) || values.length > 100 || values.some((value) => typeof value !== kind)) {
      throw new BadParameter(
        `"${name}" must be a list of at most 100 ${kind === "number" ? "numbers" : "texts"}.`,
      );
    }
    read[name] = values;
  }
  return read;
}
