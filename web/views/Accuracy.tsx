import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { readAccuracy } from "../api.ts";
import type { AccuracyAnswer, Score } from "../api.ts";
import { formatCount, formatError, formatShare } from "../format.ts";
import { kindWords } from "../metrics.ts";
import { ended, loads } from "../store.ts";
import { Scatter } from "./Scatter.tsx";

const order = Object.keys(kindWords);

/** How good the predictions were: the number anyone can read, for all and for each model. */
export function Accuracy() {
  const answer = useSignal<AccuracyAnswer>({});
  const newest = ended.value[0]?.id;
  const loadCount = loads.value.length;
  useEffect(() => {
    // Without an answer the last one stays.
    readAccuracy().then(
      (read) => (answer.value = read),
      () => {},
    );
  }, [newest, loadCount]);
  const { overall = {}, models = [] } = answer.value;
  const blocks = [{ model: "all models", scores: overall }, ...(models.length > 1 ? models : [])];
  return (
    <section class="accuracy" aria-labelledby="accuracy-title">
      <div class="head">
        <h2 id="accuracy-title">How good the predictions were</h2>
        <span class="dim">in the last seven days, made beforehand</span>
      </div>
      {Object.keys(overall).length === 0 ? (
        <p class="empty">No prediction has come to its end yet: it takes one answered chat.</p>
      ) : (
        <div class="pair">
          <div class="scroll" role="region" tabIndex={0} aria-label="Errors of the predictions">
            <table class="small">
              <thead>
                <tr>
                  <th scope="col">Figure</th>
                  <th scope="col">Median error</th>
                  <th scope="col">p90</th>
                  <th scope="col">Bias</th>
                  <th scope="col">n</th>
                </tr>
              </thead>
              {blocks.map(({ model, scores }, index) => (
                <Block key={model} model={index === 0 ? undefined : model} scores={scores} />
              ))}
            </table>
          </div>
          <Scatter />
        </div>
      )}
    </section>
  );
}

function Block({ model, scores }: { model: string | undefined; scores: Record<string, Score> }) {
  const kinds = Object.keys(scores).toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
  return (
    <tbody>
      {model !== undefined && (
        <tr>
          <th scope="rowgroup" colSpan={5} class="of" dir="auto">
            {model}
          </th>
        </tr>
      )}
      {kinds.map((kind) => {
        const score = scores[kind];
        return (
          <tr key={kind}>
            <th scope="row">{kindWords[kind] ?? kind}</th>
            <td>{formatShare(score?.medianErrorRatio)}</td>
            <td>{formatShare(score?.p90ErrorRatio)}</td>
            <td>{formatError(score?.biasRatio)}</td>
            <td>{formatCount(score?.n)}</td>
          </tr>
        );
      })}
    </tbody>
  );
}
