/** Gives each value its own label, up to a bound. */
export interface Labels {
  /** The label of a value that has proved real; takes one of the places if any is left. */
  admit(value: string | undefined): string;
  /** The label of a value that may be anything: it never takes a place. */
  known(value: string | undefined): string;
}

const longestLabel = 200;

/**
 * Every distinct label value is a series that lives until the process ends, and model names come from whoever sends a request. So at
 * most `places` names get a label, only those that a model has answered to; the rest share `other`, and no name is `none`.
 */
export function createLabels(places: number): Labels {
  const admitted = new Set<string>();
  const labelOf = (value: string | undefined, mayTakePlace: boolean): string => {
    if (value === undefined) return "none";
    // `gemma3` and `gemma3:latest` are one model; Ollama lists it with the tag, clients mostly leave it out.
    const label = value.slice(0, longestLabel).replace(/:latest$/, "");
    if (!admitted.has(label) && mayTakePlace && admitted.size < places) admitted.add(label);
    return admitted.has(label) ? label : "other";
  };
  return { admit: (value) => labelOf(value, true), known: (value) => labelOf(value, false) };
}
