import type { Provenance } from "../../src/types.ts";

const shapes: Record<Provenance, string> = { measured: "●", derived: "◐", predicted: "◇", assumed: "○" };
const meanings: [Provenance, string][] = [
  ["measured", "read from the system or from Ollama"],
  ["derived", "computed from measured figures"],
  ["predicted", "an estimate made beforehand"],
  ["assumed", "a stand-in until something is known"],
];

/** Says by its shape where a figure comes from. */
export function Mark({ from }: { from: Provenance }) {
  return (
    <span class={`mark ${from}`} role="img" aria-label={from} title={from}>
      {shapes[from]}
    </span>
  );
}

export function Legend() {
  return (
    <ul class="legend" aria-label="Where figures come from">
      {meanings.map(([provenance, meaning]) => (
        <li key={provenance}>
          <span class={`mark ${provenance}`} aria-hidden="true">
            {shapes[provenance]}
          </span>{" "}
          <b>{provenance}</b> {meaning}
        </li>
      ))}
    </ul>
  );
}
