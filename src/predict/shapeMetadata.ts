/** Reads a model's metadata without trusting it: what is broken is absent, and said. */
export interface Metadata {
  /** As the file names it: the prefix of its keys. */
  declared: string;
  /** A whole number from 0 up, at most `LARGEST`. Of an array that says one thing throughout, that. */
  count(key: string): number | undefined;
  /** One value a layer, from an array or a single number; absent when the key is missing, hidden or broken. */
  perLayer(key: string): ((layer: number) => number) | undefined;
  /** The key holds an array, and not a number for all layers. */
  isArray(key: string): boolean;
  /** The key is there and its value was left out, as `/api/show` does with every array. */
  hidden(key: string): boolean;
  text(key: string): string | undefined;
  remarks: string[];
}

/** Beyond any dimension of a model: products of a few of these stay finite. */
const LARGEST = 1e12;
/** Longest per-layer array that is believed: llama.cpp loads at most 512 layers. */
const LONGEST = 4096;

/**
 * `info` is the `model_info` of `/api/show` or the key/value part of a GGUF header; keys are given without the
 * architecture's prefix.
 */
export function readMetadata(info: Readonly<Record<string, unknown>>, declared: string): Metadata {
  const remarks: string[] = [];
  const full = (key: string): string => `${declared}.${key}`;
  const said = new Set<string>();
  const broken = (key: string, value: unknown): undefined => {
    if (!said.has(key)) remarks.push(`${full(key)} is ${shown(value)}, not a whole number from 0 up`);
    said.add(key);
    return undefined;
  };

  const count = (key: string): number | undefined => {
    const value = info[full(key)];
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value)) return uniform(value);
    return wholeNumber(value) ?? broken(key, value);
  };

  const perLayer = (key: string): ((layer: number) => number) | undefined => {
    const value = info[full(key)];
    if (!Array.isArray(value)) {
      const single = count(key);
      return single === undefined ? undefined : () => single;
    }
    if (value.length === 0 || value.length > LONGEST) return undefined;
    const numbers = value.map((item) => wholeNumber(item) ?? (typeof item === "boolean" ? Number(item) : -1));
    if (numbers.includes(-1)) return broken(key, value);
    return (layer) => numbers[Math.min(layer, numbers.length - 1)] ?? 0;
  };

  return {
    declared,
    count,
    perLayer,
    isArray: (key) => Array.isArray(info[full(key)]),
    hidden: (key) => info[full(key)] === null,
    text: (key) => asText(info[full(key)]),
    remarks,
  };
}

/** A whole number from 0 up. 64-bit numbers of a header arrive as bigint. */
export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 && number <= LARGEST
    ? number
    : undefined;
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 256) : undefined;
}

function uniform(values: readonly unknown[]): number | undefined {
  const first = wholeNumber(values[0]);
  return first !== undefined && values.every((value) => wholeNumber(value) === first) ? first : undefined;
}

function shown(value: unknown): string {
  const text = Array.isArray(value)
    ? `an array with ${plain(value.find((item) => wholeNumber(item) === undefined))}`
    : plain(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** An object's own keys may say how a text is made of it; none is. */
function plain(value: unknown): string {
  return typeof value === "object" ? "no number" : String(value);
}
