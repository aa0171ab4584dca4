import { formatBytes, formatCount, formatRate } from "../format.ts";
import { chosenModel, context, estimate, others, quantized } from "../whatIfStore.ts";
import { fitShapes, fitWords, lossWords, rateAt } from "../whatIf.ts";
import { Mark } from "./Mark.tsx";

/** The sum, line by line, to be checked by hand; how fast it would be; what was taken for granted. */
export function Sum() {
  const answer = estimate.value;
  if (!answer) return null;
  return (
    <div class="sum">
      <table class="small">
        <caption>The sum</caption>
        <tbody>
          {answer.explanation?.map(({ label, formula, bytes, provenance }) => (
            <tr key={label}>
              <th scope="row" title={formula}>
                {label} <span class="dim">{formula}</span>
              </th>
              <td>
                {formatBytes(bytes)} <Mark from={provenance} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {answer.speed && (
        <p class="dim">
          Expected tok/s by tokens before it:{" "}
          {answer.speed.decodeTokensPerSecond
            .map(({ depth, value }) => `${formatRate(value)} at ${formatCount(depth)}`)
            .join(", ")}{" "}
          <Mark from={answer.speed.provenance} />
        </p>
      )}
      <details class="behind">
        <summary>What it rests on</summary>
        <dl class="facts">
          {answer.assumptions.map(({ name, value, provenance }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {value} <Mark from={provenance} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

/** Every installed model with the same settings. */
export function Others() {
  return (
    <div class="scroll" role="region" tabIndex={0} aria-label="Each model at this context">
      <table class="small">
        <caption>Each model at this context</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">In all</th>
            <th scope="col">Fits</th>
            <th scope="col">Largest that fits</th>
            <th scope="col">tok/s</th>
          </tr>
        </thead>
        <tbody>
          {others.value.map(({ name, answer }) => (
            <tr
              key={name}
              data-fit={answer?.fit.verdict}
              aria-current={name === chosenModel.value || undefined}
            >
              <th scope="row">
                <bdi class="name" title={name}>
                  {name}
                </bdi>
              </th>
              <td>{formatBytes(answer?.totalBytes)}</td>
              <td>{answer ? `${fitShapes[answer.fit.verdict]} ${answer.fit.verdict}` : "not described"}</td>
              <td>{formatCount(answer?.fit.largestContextThatFits)}</td>
              <td>{formatRate(answer && rateAt(answer, context.value))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The same model in other file types, and what each was measured to lose. */
export function Quantized() {
  const sources = [
    ...new Set(quantized.value.flatMap(({ loss }) => (loss ? [`${loss.model}: ${loss.source}`] : []))),
  ];
  return (
    <div>
      <table class="small">
        <caption>The same model in other file types</caption>
        <thead>
          <tr>
            <th scope="col">Type</th>
            <th scope="col">In all</th>
            <th scope="col">Fits</th>
            <th scope="col">Loss</th>
          </tr>
        </thead>
        <tbody>
          {quantized.value.map((cell) => (
            <tr key={cell.quantization} data-fit={cell.fit.verdict}>
              <th scope="row">{cell.quantization}</th>
              <td>{formatBytes(cell.totalBytes)}</td>
              <td title={fitWords(cell.fit)}>
                {fitShapes[cell.fit.verdict]} {cell.fit.verdict}
              </td>
              <td>{cell.loss ? lossWords(cell.loss) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {sources.length > 0 && <p class="dim source">Loss as measured of {sources.join("; ")}.</p>}
    </div>
  );
}
