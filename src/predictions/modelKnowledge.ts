/**
 * The shapes of models, asked from `/api/show` once for each version of a model and kept in memory, so that a request
 * never waits for them.
 */
import type { OllamaClient, ShowAnswer } from "../ollama/client.ts";
import { shapeFromShow } from "../predict/shapeFromShow.ts";
import type { ModelShape } from "../predict/modelShape.ts";

export interface KnownModel {
  shape: ModelShape;
  /** `parameters` of the Modelfile: one `key value` a line. */
  parameters?: string;
  /** It runs on another host: nothing of it lies in this machine's memory. */
  remote?: true;
}

export interface ModelKnowledge {
  /** What is known now; undefined while it is being asked, or when Ollama does not say. */
  get(model: string): KnownModel | undefined;
  /** Asks for a model in the background, again when its digest has changed. `then` is called once it is known. */
  want(model: string, digest: string | undefined, then?: () => void): void;
}

/** Models that are remembered; the one asked for first gives way. */
const MOST_MODELS = 200;

/** A model that could not be described is asked for again after this long. */
const AGAIN_MS = 60_000;

export function createModelKnowledge(parts: {
  client: Pick<OllamaClient, "show">;
  monotonic: () => number;
}): ModelKnowledge {
  const { client, monotonic } = parts;
  const known = new Map<
    string,
    { digest: string | undefined; askedAt: number; failed?: true; model?: KnownModel }
  >();

  const ask = async (model: string): Promise<KnownModel | undefined> => {
    try {
      return readModel(await client.show(model));
    } catch {
      // What Ollama does not describe is not predicted.
      return undefined;
    }
  };

  return {
    get: (model) => known.get(model)?.model,
    want(model, digest, then) {
      const entry = known.get(model);
      const changed = digest !== undefined && entry?.digest !== undefined && digest !== entry.digest;
      const due = entry?.failed === true && monotonic() - entry.askedAt >= AGAIN_MS;
      if (entry !== undefined && !changed && !due) {
        entry.digest ??= digest;
        return;
      }
      const asked: NonNullable<typeof entry> = { digest, askedAt: monotonic(), model: entry?.model };
      known.set(model, asked);
      if (known.size > MOST_MODELS) {
        known.delete(known.keys().next().value ?? "");
      }
      void ask(model).then((answer) => {
        if (answer === undefined) {
          asked.failed = true;
        } else {
          asked.model = answer;
          then?.();
        }
      });
    },
  };
}

/** Throws `ShapeProblem` when the metadata cannot be used. */
export function readModel(show: ShowAnswer): KnownModel {
  const parameters = show["parameters"];
  return {
    shape: shapeFromShow(show),
    ...(typeof parameters === "string" && { parameters }),
    ...((show["remote_host"] ?? show["remote_model"]) !== undefined && { remote: true as const }),
  };
}
