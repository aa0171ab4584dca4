/** `plimsoll predict`: will it fit, and how fast, for a model, a GGUF file or a saved `/api/show` answer. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { createOllamaClient } from "../ollama/client.ts";
import type { ModelShape } from "../predict/modelShape.ts";
import { shapeFromGguf } from "../predict/shapeFromGguf.ts";
import { AskProblem, type PredictQuery } from "../predictions/ask.ts";
import { readModel, type KnownModel } from "../predictions/modelKnowledge.ts";
import { EXIT } from "./exit.ts";
import { askHere } from "./predictHere.ts";
import { measureAndKeep, printBandwidth } from "./predictBandwidth.ts";
import { printEstimate, printTable } from "./predictText.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";

export const predict: Command = {
  summary: "will it fit, and how fast: for a model, a GGUF file or a saved /api/show answer",
  usage: `plimsoll predict MODEL|FILE.gguf|SHOW.json [options]
plimsoll predict --measure-bandwidth

  --ctx N              context of one slot: 8192, 32k (default: what Ollama would take)
  --kv TYPE            type of the KV cache: f16, q8_0, q4_0, …
  --parallel N         slots
  --quant TYPE         the same model as Q8_0, Q4_K_M, …
  --table              a table context × KV type for this machine
  --explain            the sum, line by line, to check by hand
  --measure-bandwidth  measure this machine's memory for 2 s first, and keep the figure: the base of tok/s for models
                       that have not answered yet, where the chip's name does not tell
  --json               everything as JSON
  --upstream URL       the Ollama to ask; it loads nothing
  --data-dir DIR       the record to take learned speeds from; it is only read

The figures are for this machine's memory as it is now. tok/s comes from what Plimsoll has recorded of this machine's
answers; without any, from memory bandwidth and the bytes that a token reads, and it says which.`,
  async run(args) {
    const [subject = "", ...rest] = takeSubject(args);
    const { config, dataDir, flags } = readSettings(rest, {
      ctx: { type: "string" },
      kv: { type: "string" },
      parallel: { type: "string" },
      quant: { type: "string" },
      table: { type: "boolean" },
      explain: { type: "boolean" },
      "measure-bandwidth": { type: "boolean" },
      json: { type: "boolean" },
    });
    const json = flags["json"] === true;
    if (flags["measure-bandwidth"] === true) {
      const measured = await measureAndKeep({ config, dataDir });
      if (subject === "") {
        if (json) sayJson(measured);
        else say(printBandwidth(measured));
        return EXIT.good;
      }
    }
    if (subject === "") {
      remark("plimsoll predict: name a model, a GGUF file or a saved /api/show answer.\n");
      return EXIT.usage;
    }
    const client = createOllamaClient({ url: config.upstream });
    const known = readFileSubject(subject);
    const ask = await askHere({ client, upstream: config.upstream, dataDir });
    try {
      const query = readQuery(subject, known, flags);
      if (flags["table"] === true) {
        const table = await ask.table(query, known);
        if (json) sayJson(table);
        else say(printTable(table));
      } else {
        const answer = await ask.predict(query, known);
        if (json) sayJson(answer);
        else say(printEstimate(subject, answer, flags["explain"] === true));
      }
      return EXIT.good;
    } catch (error) {
      if (error instanceof AskProblem) {
        remark(`plimsoll predict: ${error.message}\n`);
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
    "--listen",
    "--data-dir",
    "--token",
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
    const text = readFileSync(subject, "utf8");
    try {
      return readModel(JSON.parse(text));
    } catch (error) {
      throw new Error(`${subject} is no saved /api/show answer: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  if (!/\.gguf$/i.test(subject)) {
    return undefined;
  }
  return { shape: readGguf(partsOf(subject)) };
}

/** All files of a model that was cut into several, in their order: `NAME-00001-of-00003.gguf` is one of three. */
export function partsOf(path: string): string[] {
  const [, stem, count] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(path) ?? [];
  return stem === undefined || count === undefined
    ? [path]
    : Array.from(
        { length: Number(count) },
        (_, index) => `${stem}-${String(index + 1).padStart(5, "0")}-of-${count}.gguf`,
      );
}

function readGguf(paths: readonly string[]): ModelShape {
  const descriptors: number[] = [];
  try {
    const [first, ...more] = paths.map((path) => {
      const descriptor = openSync(path, "r");
      descriptors.push(descriptor);
      return (offset: number, length: number) => {
        const bytes = Buffer.alloc(length);
        return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
      };
    });
    return shapeFromGguf(first ?? (() => undefined), more);
  } finally {
    descriptors.forEach((descriptor) => closeSync(descriptor));
  }
}
