/** How the layers of an architecture are wired, where that is not the usual order of norm, mixing, norm, feed-forward. */
export interface LayerStyle {
  /**
   * The feed-forward part reads what attention reads, not what it made. `input`: the same normed input; `own`: a norm of
   * its own. `sum` says what is added up first.
   */
  parallel?: { reads: "input" | "own"; sum: "attention-first" | "residual-first" };
  /** Norms come after attention and after the feed-forward part, none before. */
  normsAfter?: boolean;
  /** The sum names what came before first, so it is written over that. */
  residualFirst: { mixing: boolean; feedForward: boolean };
}

const USUAL: LayerStyle = { residualFirst: { mixing: false, feedForward: false } };

const STYLES: ReadonlyMap<string, LayerStyle> = new Map<string, LayerStyle>([
  ["lfm2", { residualFirst: { mixing: true, feedForward: true } }],
  ["lfm2moe", { residualFirst: { mixing: true, feedForward: true } }],
  ["jamba", { residualFirst: { mixing: true, feedForward: true } }],
  ["openelm", { residualFirst: { mixing: true, feedForward: false } }],
  ["phi3", { residualFirst: { mixing: false, feedForward: true } }],
  ["phi2", { ...USUAL, parallel: { reads: "input", sum: "attention-first" } }],
  ["falcon", { ...USUAL, parallel: { reads: "input", sum: "attention-first" } }],
  ["command-r", { ...USUAL, parallel: { reads: "input", sum: "residual-first" } }],
  ["cohere2", { ...USUAL, parallel: { reads: "input", sum: "residual-first" } }],
  ["cohere2moe", { ...USUAL, parallel: { reads: "input", sum: "residual-first" } }],
  ["gptneox", { ...USUAL, parallel: { reads: "own", sum: "residual-first" } }],
  ["olmo2", { ...USUAL, normsAfter: true }],
  ["exaone4", { ...USUAL, normsAfter: true }],
]);

/** By `ModelShape.architecture`; the usual order for whatever is not listed. */
export function layerStyle(architecture: string): LayerStyle {
  return STYLES.get(architecture) ?? USUAL;
}
