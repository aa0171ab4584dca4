import type { PredictAnswer, WhatIfCell } from "../src/types.ts";
import { post, read, search } from "./api.ts";

/** The server's answers to "will it fit". */

export function askEstimate(query: Record<string, string | number | undefined>): Promise<PredictAnswer> {
  return read(`./api/predict?${search(query)}`);
}

export async function askTable(query: Record<string, unknown>): Promise<WhatIfCell[]> {
  return ((await post("./api/predict/table", query)) as { cells: WhatIfCell[] }).cells;
}

/** The models that Ollama has, asked as any client would. */
export async function readModelNames(): Promise<string[]> {
  const { models } = await read<{ models: { name: string }[] }>("../api/tags");
  return models.map(({ name }) => name);
}
