/**
 * Real client packages, direct and through Plimsoll: the same result, the same bytes on both sides of it, and the right
 * row for each. Against the simulated Ollama, or a real one named by `PLIMSOLL_REAL_OLLAMA` (with
 * `PLIMSOLL_REAL_MODEL`, a copy of it with a `num_predict` as `PLIMSOLL_REAL_SHORT_MODEL` and, for tools,
 * `PLIMSOLL_REAL_TOOLS_MODEL`).
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Script } from "../../src/demo/server/script.ts";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import type { Exchange } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { exchangesOf, type Pair } from "./support/messages.ts";
import { FOLDER, npmIsInstalled, pythonIsInstalled, pythonProgram } from "./support/installed.ts";
import { startRelay } from "./support/relay.ts";
import { TOOL_MODEL, toolAnswers } from "./support/toolAnswers.ts";

const SCENARIOS = ["stream", "whole", "tools", "cancel", "error"] as const;
type Scenario = (typeof SCENARIOS)[number];

interface Client {
  name: string;
  runs: "npm" | "python";
  dialect: Exchange["dialect"];
  /** How the row names it. */
  clientName: RegExp;
  /** Asks for a stream even where its caller wants the whole. */
  alwaysStreams?: boolean;
}

const CLIENTS: Client[] = [
  { name: "ollama", runs: "npm", dialect: "ollama", clientName: /^ollama-js$/ },
  { name: "openai", runs: "npm", dialect: "openai", clientName: /openai/i },
  { name: "anthropic", runs: "npm", dialect: "anthropic", clientName: /anthropic/i },
  { name: "ollama-ai-provider-v2", runs: "npm", dialect: "ollama", clientName: /ai-sdk|ollama-ai-provider/i },
  { name: "ai-sdk-ollama", runs: "npm", dialect: "ollama", clientName: /ollama-js|ai-sdk/i },
  {
    name: "langchain",
    runs: "npm",
    dialect: "ollama",
    clientName: /ollama-js|langchain/i,
    alwaysStreams: true,
  },
  { name: "ollama", runs: "python", dialect: "ollama", clientName: /^ollama-python$/ },
  { name: "openai", runs: "python", dialect: "openai", clientName: /openai/i },
  { name: "anthropic", runs: "python", dialect: "anthropic", clientName: /anthropic/i },
  {
    name: "langchain-ollama",
    runs: "python",
    dialect: "ollama",
    clientName: /ollama-python|langchain/i,
    alwaysStreams: true,
  },
  { name: "llama-index-llms-ollama", runs: "python", dialect: "ollama", clientName: /ollama-python/i },
  { name: "litellm", runs: "python", dialect: "ollama", clientName: /litellm/i },
];

const REAL = process.env["PLIMSOLL_REAL_OLLAMA"];
const REAL_MODEL = process.env["PLIMSOLL_REAL_MODEL"] ?? "";
/** Most clients cannot limit an answer; a model whose Modelfile sets `num_predict` can. */
const SHORT_MODEL = process.env["PLIMSOLL_REAL_SHORT_MODEL"] ?? REAL_MODEL;
const SLOW_MODEL = "gemma3:4b";
const MODELS: Record<Scenario, string> =
  REAL === undefined
    ? {
        stream: "gemma3:270m",
        whole: "gemma3:270m",
        tools: TOOL_MODEL,
        cancel: SLOW_MODEL,
        error: "no-such-model",
      }
    : {
        stream: SHORT_MODEL,
        whole: SHORT_MODEL,
        tools: process.env["PLIMSOLL_REAL_TOOLS_MODEL"] ?? SHORT_MODEL,
        cancel: REAL_MODEL,
        error: "no-such-model",
      };

afterAll(cleanUp);

/** The same answers each time: a server of its own, from the same seed, that streams slowly where it is to be left. */
async function ollama(client: Client): Promise<string> {
  if (REAL !== undefined) return REAL;
  const script: Script = [
    ...toolAnswers(client.alwaysStreams === true),
    { when: { model: SLOW_MODEL }, override: { delayBetweenChunksMs: 100, chunkCount: 50 } },
  ];
  const simulated = createSimulatedOllama({ instant: true, seed: 7, script });
  onCleanUp(() => simulated.close());
  return (await simulated.listen()).url;
}

type Results = Record<Scenario, Record<string, unknown>>;

async function drive(client: Client, url: string): Promise<Results> {
  const [command, script] =
    client.runs === "npm"
      ? [process.execPath, path.join(FOLDER, "npm", "drive.mjs")]
      : [pythonProgram(), path.join(FOLDER, "python", "drive.py")];
  const child = spawn(command, [script, client.name, url], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      MODELS: JSON.stringify(MODELS),
      NO_PROXY: "*",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
    },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const results = out
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { scenario: Scenario; result: Record<string, unknown> });
  expect({ code, scenarios: results.map(({ scenario }) => scenario), err: code === 0 ? "" : err }).toEqual({
    code: 0,
    scenarios: [...SCENARIOS],
    err: "",
  });
  return Object.fromEntries(results.map(({ scenario, result }) => [scenario, result ?? {}])) as Results;
}

/** What depends on nothing but the server: times and ids are its own each time, and a real model is not repeatable. */
function comparable(results: Results, urls: readonly string[]): unknown {
  const text = urls.reduce(
    (all, url) => all.replaceAll(new URL(url).host, "HOST").replaceAll(url, "URL"),
    JSON.stringify(results),
  );
  const plain = text.replaceAll(/(req|msg)_[0-9a-f]{24}/g, "$1_ID");
  const value = JSON.parse(plain) as Results;
  if (REAL === undefined) return value;
  // What a real model says differs each time; that its bytes are passed on is judged on the wire.
  return value.error;
}

const installed = { npm: npmIsInstalled(), python: pythonIsInstalled() };

describe.each(CLIENTS.filter(({ runs }) => installed[runs]))("$runs: $name", (client) => {
  it("gets the same result, over the same bytes, and has the right row for each", async () => {
    const direct = await ollama(client);
    const directResults = await drive(client, direct);

    const behind = await ollama(client);
    const far = await startRelay(behind);
    onCleanUp(() => far.close());
    const plimsoll = await startPlimsoll(far.url);
    const near = await startRelay(plimsoll.url);
    onCleanUp(() => near.close());
    const results = await drive(client, near.url);

    expect(comparable(results, [near.url])).toEqual(comparable(directResults, [direct]));
    expectWorked(client, results);
    expectSameBytes(exchangesOf(near), exchangesOf(far));

    await waitFor(() => plimsoll.app.snapshot().exchanges.length === 0);
    await plimsoll.store.flush(5000);
    const { exchanges } = await plimsoll.store.exchanges({ operation: "chat" });
    expectRows(client, exchanges.toReversed(), results);
  });
});

function expectWorked(client: Client, results: Results): void {
  const { stream, whole, tools, cancel, error } = results;
  expect(error).toHaveProperty("error");
  // What a real model says, and whether it knows tools, is its own affair.
  if (REAL !== undefined) return sayUnserved(client, results);
  for (const answer of [stream, whole]) expect(answer["text"]).not.toBe("");
  expect(JSON.stringify(tools)).toContain("Madrid");
  expect(cancel).not.toHaveProperty("error");
}

/** Of a real server: it is older than an interface, or the model has no tools. Said, because green would hide it. */
function sayUnserved(client: Client, results: Results): void {
  const refused = SCENARIOS.filter(
    (scenario) => scenario !== "error" && Object.hasOwn(results[scenario], "error"),
  );
  for (const scenario of refused) {
    process.stderr.write(
      `${client.runs}: ${client.name}, ${scenario}: not served: ${JSON.stringify(results[scenario]["error"])}\n`,
    );
  }
}

/**
 * Connections are made in another order on the two sides, so requests are matched by what they say. An answer that its
 * client has left may end earlier there than at Ollama.
 */
function expectSameBytes(near: Pair[], far: Pair[]): void {
  const isOurs = ({ request }: Pair): boolean =>
    request.fields.some((field) => /^user-agent: plimsoll$/i.test(field));
  const [received, sent] = [near, far.filter((pair) => !isOurs(pair))].map((pairs) =>
    pairs.toSorted((one, other) => (JSON.stringify(one.request) < JSON.stringify(other.request) ? -1 : 1)),
  ) as [Pair[], Pair[]];
  expect(sent.map(({ request }) => request)).toEqual(received.map(({ request }) => request));
  for (const [index, { answer }] of received.entries()) {
    const original = sent[index]?.answer;
    expect(answer?.startLine).toBe(original?.startLine);
    expect(answer?.fields).toEqual(original?.fields);
    if (answer?.whole === true) expect(answer.body).toBe(original?.body);
    else
      expect(isPrefixOf(answer?.body, original?.body) || isPrefixOf(original?.body, answer?.body)).toBe(true);
  }
}

function isPrefixOf(start = "", text = ""): boolean {
  return text.startsWith(start);
}

function expectRows(client: Client, rows: readonly Exchange[], results: Results): void {
  const expected = SCENARIOS.map((scenario) => {
    if (Object.hasOwn(results[scenario], "error")) return "failed";
    // A real model may end before its client can leave, and may end without an end: Ollama stops one that repeats itself.
    if (REAL !== undefined) return expect.stringMatching(/^(completed|cancelled|failed)$/) as string;
    return scenario === "cancel" ? "cancelled" : "completed";
  });
  expect(rows.map(({ state }) => state.phase)).toEqual(expected);
  for (const [index, scenario] of SCENARIOS.entries()) {
    const row = rows[index];
    expect(row).toMatchObject({
      dialect: client.dialect,
      model: expect.stringContaining(MODELS[scenario].split(":")[0] ?? ""),
    });
    expect(row?.client.name ?? row?.client.userAgent).toMatch(client.clientName);
    if (scenario === "stream" || scenario === "cancel") expect(row?.stream).toBe(true);
    if (scenario === "error")
      expect(row).toMatchObject({ status: 404, state: { error: { code: "http-404" } } });
    const { inputTokens, outputTokens } = results[scenario];
    if (typeof inputTokens === "number") {
      expect(row?.usage).toMatchObject({ inputTokens, outputTokens, provenance: "measured" });
    }
  }
}

it.each(["npm", "python"] as const)(
  "%s clients are installed (npm run test:clients installs them)",
  (kind) => {
    const wanted = process.env["PLIMSOLL_CLIENTS"] ?? "npm,python";
    if (wanted.split(",").includes(kind)) expect(installed[kind]).toBe(true);
  },
);
