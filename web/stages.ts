import type { Exchange, Stage } from "../src/types.ts";

/** What a live exchange is probably doing; absent for those without phases, such as a pull. */
export function stageOf(exchange: Exchange): Stage | undefined {
  const { state } = exchange;
  if ("endedAt" in state) return undefined;
  const answers = exchange.operation === "chat" || exchange.operation === "generate";
  return state.stage ?? (state.phase === "streaming" && answers ? "decoding" : undefined);
}
