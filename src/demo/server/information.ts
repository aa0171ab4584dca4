/** What the server says about itself and its models, and the quick changes to them. */
import { nativeFailure } from "../dialects/native.ts";
import { openaiFailure } from "../dialects/openai.ts";
import type { JsonObject } from "./body.ts";
import { goJson, goTime } from "./goJson.ts";
import type { Call, Engine } from "./job.ts";
import { manifestDigest, modelDetails, tagsEntry } from "./library.ts";
import { showAnswer } from "./show.ts";

type Handle = (engine: Engine, call: Call) => Promise<void>;
type HandleBody = (engine: Engine, call: Call, body: JsonObject) => Promise<void>;

/** More than this left unread and Go closes the connection after its answer. */
const READ_AFTER_ANSWER_BYTES = 256 * 1024;

export const version: Handle = async (engine, call) => await json(call, { version: engine.version });

export const status: Handle = async (_engine, call) =>
  await json(call, { cloud: { disabled: true, source: "env" } });

export const tags: Handle = async (engine, call) => {
  if (call.method === "HEAD") {
    await call.reply.open([["Content-Type", "application/json; charset=utf-8"]], 0);
    await call.reply.end();
    return;
  }
  await json(call, { models: engine.library.list().map(tagsEntry) });
};

/** Only runners whose load is over; sizes are those of the load, whatever has grown since. */
export const ps: Handle = async (engine, call) => {
  const models = engine.scheduler
    .residents()
    .filter((resident) => resident.runner.loaded())
    .toReversed()
    .flatMap((resident) => {
      const installed = engine.library.find(resident.name);
      if (installed === undefined) return [];
      return [
        {
          name: resident.name,
          model: resident.name,
          size: resident.runner.claimedBytes,
          digest: manifestDigest(installed),
          details: modelDetails(installed),
          expires_at: goTime(resident.expiresAt()),
          size_vram: 0,
          context_length: resident.runner.options.contextLength,
        },
      ];
    });
  await json(call, { models });
};

export const show: HandleBody = async (engine, call, body) => {
  const requested = nameOf(body, "model", "name");
  const installed = engine.library.find(requested);
  if (installed === undefined) {
    const full = requested.includes(":") ? requested : `${requested}:latest`;
    await call.reply.whole(nativeFailure(404, `model '${full}' not found`));
    return;
  }
  await json(call, showAnswer(installed, body.verbose === true));
};

export const copy: HandleBody = async (engine, call, body) => {
  const source = nameOf(body, "source");
  const installed = engine.library.find(source);
  if (installed === undefined) {
    await call.reply.whole(nativeFailure(404, `model "${source}" not found`));
    return;
  }
  engine.library.add(nameOf(body, "destination"), installed.model, installed.parentModel);
  await call.reply.whole({ status: 200 });
};

export const remove: HandleBody = async (engine, call, body) => {
  const requested = nameOf(body, "model", "name");
  const installed = engine.library.find(requested);
  if (installed === undefined) {
    await call.reply.whole(nativeFailure(404, `model '${requested}' not found`));
    return;
  }
  engine.library.remove(requested);
  const stillNamed = engine.library.list().some((other) => other.model === installed.model);
  if (!stillNamed) engine.scheduler.unload(installed.model);
  await call.reply.whole({ status: 200 });
};

/** An upload is counted, neither kept nor hashed. One that exists already is answered without reading it. */
export const blobs: Handle = async (engine, call) => {
  const digest = call.path.slice("/api/blobs/".length);
  if (!/^sha256[:-][\da-f]{64}$/u.test(digest)) {
    await call.reply.whole(nativeFailure(400, "invalid digest format"));
    return;
  }
  const key = digest.replace("-", ":");
  const exists =
    engine.blobs.has(key) ||
    engine.library.list().some((installed) => `sha256:${installed.model.blobDigest}` === key);
  if (call.method === "HEAD") {
    await blobHead(call, exists, key);
    return;
  }
  if (exists) {
    const length = Number(call.request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
    const close: [string, string][] = length > READ_AFTER_ANSWER_BYTES ? [["Connection", "close"]] : [];
    await call.reply.whole({ status: 200, headers: close });
    return;
  }
  await call.skipBody();
  engine.blobs.add(key);
  await call.reply.whole({ status: 201 });
};

async function blobHead(call: Call, exists: boolean, key: string): Promise<void> {
  if (exists) {
    await call.reply.open([], 0);
    await call.reply.end();
    return;
  }
  await call.reply.whole(nativeFailure(404, `blob "${key}" not found`));
}

/** An empty shelf is `null` here, not an empty list. */
export const listModels: Handle = async (engine, call) => {
  const data = engine.library.list().map((installed) => v1Entry(installed.name, installed.modifiedAt));
  await v1Json(call, { object: "list", data: data.length === 0 ? null : data });
};

export const v1Model: Handle = async (engine, call) => {
  const requested = decodeURIComponent(call.path.slice("/v1/models/".length));
  const installed = engine.library.find(requested);
  if (installed === undefined) {
    const full = requested.includes(":") ? requested : `${requested}:latest`;
    await call.reply.whole(openaiFailure(404, `model '${full}' not found`));
    return;
  }
  await v1Json(call, v1Entry(requested, installed.modifiedAt));
};

function v1Entry(name: string, modifiedAt: number): Record<string, unknown> {
  return { id: name, object: "model", created: Math.floor(modifiedAt / 1000), owned_by: "library" };
}

async function json(call: Call, value: unknown): Promise<void> {
  await call.reply.whole({
    status: 200,
    contentType: "application/json; charset=utf-8",
    body: goJson(value),
  });
}

async function v1Json(call: Call, value: unknown): Promise<void> {
  await call.reply.whole({ status: 200, contentType: "application/json", body: `${goJson(value)}\n` });
}

/** The first of these fields that says something. */
function nameOf(body: JsonObject, ...fields: string[]): string {
  return (
    fields
      .map((field) => body[field])
      .find((value): value is string => typeof value === "string" && value !== "") ?? ""
  );
}
