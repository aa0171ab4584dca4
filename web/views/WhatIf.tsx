import { useEffect } from "preact/hooks";
import { formatBytes, formatCount } from "../format.ts";
import {
  chosenModel,
  context,
  estimate,
  kvType,
  kvTypes,
  names,
  openWhatIf,
  problem,
  slots,
  stops,
} from "../whatIfStore.ts";
import { sample } from "../store.ts";
import { estimateParts, fitShapes, fitWords } from "../whatIf.ts";
import { Mark } from "./Mark.tsx";
import { Others, Quantized, Sum } from "./WhatIfDetail.tsx";
import { WhatIfTable } from "./WhatIfTable.tsx";

/** Will it fit on this machine: a question with four knobs, and what the answer is made of. */
export function WhatIf() {
  useEffect(openWhatIf, []);
  return (
    <section class="what-if" aria-labelledby="what-if-title">
      <div class="head">
        <h2 id="what-if-title">What if</h2>
        <span class="dim">on this machine, as its memory is now; nothing is loaded to find out</span>
      </div>
      {names.value.length > 0 && <Knobs />}
      {problem.value && (
        <p class="problem" role="status">
          {problem.value}
        </p>
      )}
      {names.value.length > 0 && (
        <>
          <Answer />
          <div class="pair">
            <WhatIfTable />
            <Sum />
          </div>
          <div class="pair">
            <Others />
            <Quantized />
          </div>
        </>
      )}
    </section>
  );
}

function Knobs() {
  const all = stops.value;
  const index = all.findLastIndex((stop) => stop <= context.value);
  return (
    <form class="knobs" onSubmit={(event) => event.preventDefault()}>
      <label>
        Model
        <select
          value={chosenModel.value}
          onChange={(event) => (chosenModel.value = event.currentTarget.value)}
        >
          {names.value.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        KV cache
        <select value={kvType.value} onChange={(event) => (kvType.value = event.currentTarget.value)}>
          {kvTypes.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <label>
        Slots
        <input
          type="number"
          min={1}
          max={64}
          value={slots.value}
          onInput={(event) => {
            const count = event.currentTarget.valueAsNumber;
            if (count >= 1 && count <= 64) slots.value = Math.round(count);
          }}
        />
      </label>
      <label class="slider">
        Context <output>{formatCount(context.value)}</output>
        <input
          type="range"
          min={0}
          max={all.length - 1}
          value={Math.max(0, index)}
          aria-valuetext={`${formatCount(context.value)} tokens`}
          onInput={(event) => (context.value = all[event.currentTarget.valueAsNumber] ?? context.value)}
        />
      </label>
    </form>
  );
}

function Answer() {
  const answer = estimate.value;
  if (!answer) return null;
  const { totalBytes, fit, calibratedResidentHostBytes: resident } = answer;
  const parts = estimateParts(answer);
  const room = Math.max(totalBytes ?? 0, sample.value?.totalBytes ?? 0);
  return (
    <div class="answer" data-fit={fit.verdict} role="status">
      <p class="sentence">
        <b>{formatBytes(totalBytes)}</b> <Mark from="predicted" /> {fitShapes[fit.verdict]} {fitWords(fit)}
      </p>
      {room > 0 && (
        <div class="gauge" aria-hidden="true">
          {parts.map(({ name, bytes }) => (
            <i key={name} class={`band-${name}`} style={{ width: `${(bytes / room) * 100}%` }} />
          ))}
        </div>
      )}
      <p class="dim">
        {resident !== undefined &&
          `${formatBytes(resident)} resident right after the load, by this machine's own measurements. `}
        {answer.promptCacheLimitBytes !== undefined &&
          `Its prompt cache may grow by up to ${formatBytes(answer.promptCacheLimitBytes)} on top. `}
        {fit.largestContextThatFits !== undefined && (
          <>
            Largest context that fits: <b>{formatCount(fit.largestContextThatFits)}</b>.
          </>
        )}
      </p>
    </div>
  );
}
