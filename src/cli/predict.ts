/** `plimsoll predict`: will it fit, and how fast, for a model, a GGUF file or a saved `/api/show` answer. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { isLoopback } from "../config.ts";
import { createMemorySource } from "../memory/source.ts";
import { createOllamaClient, type OllamaClient } from "../ollama/client.ts";
import type { Machine as FitMachine } from "../predict/fit.ts";
import { shapeFromGguf } from "../predict/shapeFromGguf.ts";
import { AskProblem, createAsk, type PredictQuery } from "../predictions/ask.ts";
import { readModel, type KnownModel } from "../predictions/modelKnowledge.ts";
import { upstreamAddress } from "../proxy/upstream.ts";
import { EXIT } from "./exit.ts";
import { printEstimate, printTable } from "./predictText.ts";
import type { Command } from "./run.ts";
import { readSettings } from "./settings.ts";

export const predict: Command = {
  summary: "will it fit, and how fast: for a model, a GGUF file or a saved /api/show answer",
  usage: `plimsoll predict MODEL|FILE.gguf|SHOW.json [options]

  --ctx N            context of one slot: 8192, 32k (default: what Ollama would take)
  --kv TYPE          type of the KV cache: f16, q8_0, q4_0, …
  --parallel N       slots
  --quant TYPE       the same model as Q8_0, Q4_K_M, …
  --table            a table context × KV type for this machine
  --explain          the sum, line by line, to check by hand
  --json             everything as JSON
  --upstream URL     the Ollama to ask; it loads nothing

The figures are for this machine's memory as it is now. tok/s is known to a running Plimsoll: see its page.`,
  async run(args) {
    const [subject = "", ...rest] = takeSubject(args);
    const { config, flags } = readSettings(rest, {
      ctx: { type: "string" },
      kv: { type: "string" },
      parallel: { type: "string" },
      quant: { type: "string" },
      table: { type: "boolean" },
      explain: { type: "boolean" },
      json: { type: "boolean" },
    });
    if (subject === "") {
      process.stderr.write("plimsoll predict: name a model, a GGUF file or a saved /api/show answer.\n");
      return EXIT.usage;
    }
    const client = createOllamaClient({ url: config.upstream });
    const known = readFileSubject(subject);
    const ask = await askHere(client, config.upstream);
    const query = readQuery(subject, known, flags);
    try {
      if (flags["table"] === true) {
        const table = await ask.table(query, known);
        process.stdout.write(flags["json"] === true ? `${JSON.stringify(table)}\n` : printTable(table));
      } else {
        const answer = await ask.predict(query, known);
        process.stdout.write(
          flags["json"] === true
            ? `${JSON.stringify(answer)}\n`
            : printEstimate(subject, answer, flags["explain"] === true),
        );
      }
      return EXIT.good;
    } catch (error) {
      if (error instanceof AskProblem) {
        process.stderr.write(`plimsoll predict: ${error.message}\n`);
        return error.status === 400 ? EXIT.usage : EXIT.failed;
      }
      throw error;
    }
  },
};

/** The one word that is no option, wherever it stands, then the rest. */
function takeSubject(args: readonly string[]): string[] {
  const takesValue = new Set([
    "--ctx",
    "--kv",
    "--parallel",
    "--quant",
    "--upstream",
    "--config",
    "--log-level",
  ]);
  const at = args.findIndex((word, index) => !word.startsWith("-") && !takesValue.has(args[index - 1] ?? ""));
  return at === -1 ? ["", ...args] : [args[at] ?? "", ...args.slice(0, at), ...args.slice(at + 1)];
}

function readQuery(
  subject: string,
  known: KnownModel | undefined,
  flags: Record<string, string | boolean | undefined>,
): PredictQuery {
  const text = (name: string): string | undefined =>
    typeof flags[name] === "string" ? flags[name] : undefined;
  const kv = text("kv");
  return {
    ...(known === undefined && { model: subject }),
    ...(text("ctx") !== undefined && { contextLength: readCount("--ctx", text("ctx") ?? "") }),
    ...(text("parallel") !== undefined && { parallel: readCount("--parallel", text("parallel") ?? "") }),
    ...(kv !== undefined && { kvCacheTypeK: kv, kvCacheTypeV: kv }),
    ...(text("quant") !== undefined && { quantization: text("quant") }),
  };
}

/** `8192` or `32k`. */
export function readCount(name: string, text: string): number {
  const match = /^(\d{1,9})(k?)$/i.exec(text.trim());
  const count = Number(match?.[1]) * (match?.[2] ? 1024 : 1);
  if (!(count >= 1)) {
    throw new AskProblem(400, "bad-parameter", `${name} "${text}" is no count: expected 8192 or 32k`);
  }
  return count;
}

/** A file is described by its own header, or by the answer that was saved in it. */
function readFileSubject(subject: string): KnownModel | undefined {
  if (/\.json$/i.test(subject)) {
    return readModel(JSON.parse(readFileSync(subject, "utf8")));
  }
  if (!/\.gguf$/i.test(subject)) {
    return undefined;
  }
  const descriptor = openSync(subject, "r");
  try {
    const shape = shapeFromGguf((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    });
    return { shape };
  } finally {
    closeSync(descriptor);
  }
}

async function askHere(client: OllamaClient, upstream: string) {
  const version = await client.version().catch(() => undefined);
  const machine = await memoryNow(upstream);
  return createAsk({
    client,
    settings: () => ({ ollamaVersion: version, backend: process.platform === "darwin" ? "metal" : "cpu" }),
    memory: () => machine,
    loaded: () => undefined,
    calibrate: (_model, bytes) => bytes,
    speed: () => undefined,
  });
}

/** One reading of this machine; helpers of other systems need a moment for their first. */
async function memoryNow(upstream: string): Promise<FitMachine> {
  const source = createMemorySource({
    platform: process.platform,
    upstreamIsLocal: isLoopback(upstreamAddress(upstream).host),
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
  try {
    const deadline = performance.now() + (process.platform === "linux" ? 0 : 5000);
    let sample = source.read();
    while (sample === undefined && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      sample = source.read();
    }
    return { headroomBytes: sample?.headroomBytes, totalBytes: sample?.totalBytes };
  } finally {
    await source.close();
  }
}
