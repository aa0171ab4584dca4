/** Promise 10. Unknown is absent, never 0 or −1; what Ollama sent as 0 stays 0; absurd figures are not kept. */
import { afterEach, expect, it } from "vitest";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

async function rowFor(finalObject: Record<string, unknown>): Promise<Record<string, unknown>> {
  const line = `${JSON.stringify({ model: "m", response: "", done: true, ...finalObject })}\n`;
  const upstream = await startRawUpstream(
    (connection) =>
      void connection
        .until("}")
        .then(() =>
          connection.socket.write(
            `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${line.length}\r\n\r\n${line}`,
          ),
        ),
  );
  const { url } = await startBehind(upstream);
  await (await fetch(`${url}/api/generate`, { method: "POST", body: '{"model":"m","prompt":"x"}' })).text();
  let row: Record<string, unknown> | undefined;
  await waitFor(async () => {
    const answer = (await (await fetch(`${url}/plimsoll/api/exchanges`)).json()) as {
      exchanges: Record<string, unknown>[];
    };
    row = answer.exchanges.find((exchange) => exchange["operation"] === "generate" && "status" in exchange);
    return row !== undefined;
  });
  return row ?? {};
}

it("keeps what Ollama said, in our units, marked as measured", async () => {
  const row = await rowFor({
    done_reason: "stop",
    total_duration: 2_500_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: 26,
    prompt_eval_duration: 342_546_000,
    eval_count: 0,
    eval_duration: 1_000,
  });
  expect(row["usage"]).toMatchObject({
    inputTokens: 26,
    outputTokens: 0,
    totalMs: 2500,
    loadMs: 1,
    prefillMs: 342.546,
    decodeMs: 0.001,
    doneReason: "stop",
    provenance: "measured",
  });
});

it("leaves out what was not said and what cannot be true", async () => {
  const row = await rowFor({ prompt_eval_count: 512, eval_duration: -9_223_372_036_854_775_808 });
  const usage = row["usage"] as Record<string, unknown>;
  expect(usage["inputTokens"]).toBe(512);
  for (const name of ["decodeMs", "totalMs", "loadMs", "prefillMs", "cachedInputTokens"]) {
    expect(usage).not.toHaveProperty(name);
  }
  expect(JSON.stringify(row)).not.toMatch(/:(-1|null)\b/);
});
