import { wholeNumber, type Metadata } from "./shapeMetadata.ts";
import type { TensorIndex } from "./shapeTensors.ts";

type Info = Readonly<Record<string, unknown>>;

/** A recording may hold the first few entries only; no tokenizer is this small. */
const FEWEST_ENTRIES = 64;
/** Their lists of merges name every way to join a token, not one: 2.1 to 2.2 for each token. */
const MANY_MERGES: ReadonlySet<unknown> = new Set([
  "llama-bpe",
  "llama4",
  "tekken",
  "gpt-4o",
  "glm4",
  "chatglm-bpe",
]);
const MERGES_PER_TOKEN = 2.15;

/**
 * Rows of the embedding first, as they are what is multiplied: some files pad it beyond the tokenizer's list.
 * Undefined when nothing tells.
 */
export function vocabularySize(
  info: Info,
  metadata: Metadata,
  tensors: TensorIndex | undefined,
): number | undefined {
  const known = tensors?.find("token_embd.weight")?.[1] ?? metadata.count("vocab_size");
  return known !== undefined && known > 0 ? known : entriesOf(info["tokenizer.ggml.tokens"]);
}

/** Pairs that a byte-pair tokenizer joins; absent for other kinds. Guessed from its name when the list is hidden. */
export function mergeCount(info: Info, vocabulary: number | undefined): number | undefined {
  if (info["tokenizer.ggml.model"] !== "gpt2") return undefined;
  const listed = entriesOf(info["tokenizer.ggml.merges"]);
  if (listed !== undefined || vocabulary === undefined) return listed;
  const many = MANY_MERGES.has(info["tokenizer.ggml.pre"]);
  return Math.round(vocabulary * (many ? MERGES_PER_TOKEN : 1));
}

/** Entries of a list that was given, or of which only the length was kept. */
function entriesOf(list: unknown): number | undefined {
  if (typeof list !== "object" || list === null || !("length" in list)) return undefined;
  const length = wholeNumber(list.length);
  return length !== undefined && length > FEWEST_ENTRIES ? length : undefined;
}
