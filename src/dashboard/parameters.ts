/** Reads one query parameter. `expects` finishes the sentence "… must be …". */
export interface Reader<T> {
  expects: string;
  read(text: string): T | undefined;
}

/** A query parameter that cannot be used. The message names the parameter, its value and the expected form. */
export class BadParameter extends Error {
  override name = "BadParameter";
}

type Values<S> = { [K in keyof S]?: S[K] extends Reader<infer T> ? T : never };

const longestShown = 80;

/**
 * Reads the query of `url` by a table of readers. An empty value counts as absent. An unknown parameter is refused, because a
 * misspelt filter that is silently ignored answers a question nobody asked.
 */
export function readQuery<S extends Record<string, Reader<unknown>>>(url: string, readers: S): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of new URL(url).searchParams) {
    if (!Object.hasOwn(readers, name)) {
      throw new BadParameter(
        `Unknown parameter "${shorten(name)}". This path knows: ${Object.keys(readers).join(", ")}.`,
      );
    }
    if (text === "") continue;
    const reader = readers[name];
    const value = reader?.read(text);
    if (value === undefined) {
      throw new BadParameter(`Parameter "${name}" is "${shorten(text)}"; it must be ${reader?.expects}.`);
    }
    if (name in values) throw new BadParameter(`Parameter "${name}" is given twice; give it once.`);
    values[name] = value;
  }
  // The loop above put exactly what each reader returned under its own name.
  return values as Values<S>;
}

/** A whole number between two bounds, both allowed. */
export function integer(min: number, max: number): Reader<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    read(text) {
      if (!/^\d{1,16}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** A moment in epoch milliseconds. */
export function moment(): Reader<number> {
  return { ...integer(0, 8.64e15), expects: "a time in milliseconds since 1970, such as 1767225600000" };
}

/** One word of a closed list. */
export function oneOf<T extends string>(words: readonly T[]): Reader<T> {
  return { expects: `one of ${words.join(", ")}`, read: (text) => words.find((word) => word === text) };
}

/** Free text of bounded length: names are compared, never interpreted. */
export function text(maxLength = 512): Reader<string> {
  return {
    expects: `text of at most ${maxLength} characters`,
    read: (value) => (value.length <= maxLength ? value : undefined),
  };
}

function shorten(value: string): string {
  return value.length > longestShown ? `${value.slice(0, longestShown)}…` : value;
}
