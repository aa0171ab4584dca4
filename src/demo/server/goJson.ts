/** JSON as Go's encoder writes it, and its times: the bytes are what clients of Ollama see. */

const ESCAPES: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Fields that are undefined are left out; order is the order of the keys. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/gu, (character) => ESCAPES[character] ?? character);
}

/** RFC 3339 with nanoseconds, trailing zeros dropped. */
export function goTime(epochMs: number): string {
  const nanoseconds = Math.round((epochMs - Math.floor(epochMs / 1000) * 1000) * 1e6);
  const fraction = String(nanoseconds).padStart(9, "0").replace(/0+$/u, "");
  const seconds = new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction === "" ? "" : `.${fraction}`}Z`;
}
