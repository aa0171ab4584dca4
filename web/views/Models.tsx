import type { LoadedModel } from "../../src/types.ts";
import { formatBytes, formatCount, formatElapsed } from "../format.ts";
import { residentBytes } from "../parts.ts";
import { health, models, now } from "../store.ts";
import { Mark } from "./Mark.tsx";

/** Less than a tenth of a GiB that is mapped is not worth a word. */
const fileShownFrom = 0.1 * 1024 ** 3;

/** What Ollama says is loaded, and what was measured beside it. */
export function Models() {
  const loaded = models.value;
  return (
    <section class="models" aria-labelledby="models-title">
      <div class="head">
        <h2 id="models-title">Loaded models</h2>
      </div>
      {loaded.length === 0 ? (
        <p class="empty">
          {health.value?.upstream.reachable === false ? "Ollama does not answer." : "No model is loaded."}
        </p>
      ) : (
        <ul>
          {loaded.map((model) => (
            <ModelRow key={model.loadId ?? model.name} model={model} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ModelRow({ model }: { model: LoadedModel }) {
  const { measured, claimedBytes, claimedDeviceBytes, settings, contextLength } = model;
  return (
    <li>
      <p class="who">
        <b dir="auto">{model.name}</b>
        <span class="elapsed">{expiry(model.expiresAt, now.value)}</span>
      </p>
      <dl>
        <div>
          <dt>Measured</dt>
          <dd>
            {measured ? (
              <>
                {formatBytes(residentBytes(measured))} <Mark from="measured" />
              </>
            ) : (
              "not visible"
            )}
            {measured && measured.fileBytes >= fileShownFrom && (
              <small>{formatBytes(measured.fileBytes)} mapped</small>
            )}
          </dd>
        </div>
        <div>
          <dt>Ollama says</dt>
          <dd>
            {formatBytes(claimedBytes)}
            {claimedDeviceBytes ? <small>{formatBytes(claimedDeviceBytes)} on the GPU</small> : null}
          </dd>
        </div>
        <div>
          <dt>Context</dt>
          <dd>
            {formatCount(settings?.contextLength ?? contextLength)}
            <small>{settingWords(model)}</small>
          </dd>
        </div>
      </dl>
    </li>
  );
}

/** How many such contexts there are, and in which type their cells are kept. */
function settingWords({ settings }: LoadedModel): string {
  const { parallel = 1, kvCacheTypeK } = settings ?? {};
  return [parallel > 1 ? `× ${parallel} slots` : "", kvCacheTypeK ? `${kvCacheTypeK} cache` : ""]
    .filter(Boolean)
    .join(", ");
}

function expiry(expiresAt: number | undefined, nowAt: number): string {
  if (expiresAt === undefined) return "";
  const leftMs = expiresAt - nowAt;
  // Ollama writes "for ever" as a date centuries ahead.
  if (leftMs > 365 * 24 * 3_600_000) return "stays loaded";
  return leftMs > 0 ? `unloads in ${formatElapsed(leftMs)}` : "unloading";
}
