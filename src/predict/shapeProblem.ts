export type ShapeProblemCode =
  | "not-an-object"
  | "remote-model"
  | "no-metadata"
  | "no-architecture"
  | "bad-metadata"
  | "not-gguf"
  | "truncated"
  | "bad-gguf";

/** A model whose memory cannot be computed, with the reason. `message` names the thing, the value and what to do. */
export class ShapeProblem extends Error {
  readonly code: ShapeProblemCode;

  constructor(code: ShapeProblemCode, message: string) {
    super(message);
    this.name = "ShapeProblem";
    this.code = code;
  }
}
