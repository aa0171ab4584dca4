/**
 * Which models' weights lie in which blob: several where a Modelfile only sets parameters. A runner's arguments name a
 * blob, people know models by name, and the only place that joins them is the `FROM` line of `/api/show`. Asked once
 * per manifest digest.
 */
import type { OllamaClient, PsModel } from "../ollama/client.ts";
import { canonicalName } from "./names.ts";

export interface BlobNames {
  learn(models: readonly PsModel[]): void;
  /** The one learned last comes last. */
  modelsOf(blobDigest: string): string[];
  blobOf(model: string): string | undefined;
}

/** Manifests that are remembered; a machine has tens of models, not thousands. */
const MAX_MANIFESTS = 500;

export function createBlobNames(client: Pick<OllamaClient, "show">): BlobNames {
  const asked = new Set<string>();
  /** Digests by model. */
  const blobs = new Map<string, string>();
  return {
    learn(models) {
      for (const model of models) {
        const manifest = model.digest ?? model.name;
        if (asked.has(manifest) || asked.size >= MAX_MANIFESTS) {
          continue;
        }
        asked.add(manifest);
        client.show(model.name).then(
          (answer) => {
            const digest = /^FROM .*sha256[-:]([0-9a-f]{64})\s*$/im.exec(answer.modelfile ?? "")?.[1];
            if (digest !== undefined) {
              blobs.delete(canonicalName(model.name));
              blobs.set(canonicalName(model.name), digest);
            }
          },
          // Without the answer a load keeps the name that its request used.
          () => asked.delete(manifest),
        );
      }
    },
    modelsOf: (blobDigest) =>
      [...blobs].filter(([, digest]) => digest === blobDigest).map(([model]) => model),
    blobOf: (model) => blobs.get(canonicalName(model)),
  };
}
