/** An object out of JSON whose fields may be anything. Keys such as `__proto__` are plain own properties of it. */
export type JsonObject = Record<string, unknown>;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** A name: a non-empty string, cut so that a hostile one cannot fill the store. */
export function asName(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 256) : undefined;
}

/** A count: a whole number from 0 up. A negative, fractional or absurd one says nothing and is absent. */
export function asCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** As nearly every client writes it; folding each key of ten thousand messages would take longer than parsing them. */
const PLAIN_KEY = /^[a-z_]+$/;

/**
 * The fields of a JSON object as Go's decoder fills a struct with them: keys match in any case, and the last one in
 * the document wins. A client that writes `{"Model":…,"Stream":false}` is understood by Ollama, so it must be by us.
 * The long s folds to `s` as well, as Go's does; the Kelvin sign already lower-cases to `k`.
 */
export function structFields(value: unknown): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  const object = asObject(value);
  if (object === undefined) {
    return fields;
  }
  for (const key of Object.keys(object)) {
    fields.set(PLAIN_KEY.test(key) ? key : key.toLowerCase().replaceAll("ſ", "s"), object[key]);
  }
  return fields;
}
