import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { blobDigestOf, parseRunnerArguments, programName } from "../../src/memory/runnerArguments.ts";
import { DIGEST, fixture } from "./fixtures.ts";

interface Capture {
  ollamaVersion: string;
  requestedContextLength: number;
  kvCacheType: string;
  parallel: number;
  argv: string[];
}

const captures: Capture[] = JSON.parse(fixture("memory/runner-argv.json"));
const llamaServers = captures.filter((capture) => capture.argv.includes("-c"));
const ollamaRunners = captures.filter((capture) => capture.argv.includes("runner"));

it("has recordings of both generations", () => {
  expect(llamaServers.length).toBeGreaterThanOrEqual(3);
  expect(ollamaRunners.length).toBeGreaterThanOrEqual(2);
});

it.each(llamaServers)(
  "knows what a recorded llama-server was asked for: $requestedContextLength × $parallel",
  (capture) => {
    const settings = parseRunnerArguments(capture.argv);
    expect(settings.contextLength).toBe(capture.requestedContextLength);
    expect(settings.totalContextLength).toBe(capture.requestedContextLength * capture.parallel);
    expect(settings).toMatchObject({
      parallel: capture.parallel,
      kvCacheTypeK: capture.kvCacheType,
      kvCacheTypeV: capture.kvCacheType,
      mmap: false,
      contextShift: true,
      blobDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      port: expect.any(Number),
    });
    expect(settings.batch).toBe(settings.ubatch);
    expect(settings.offloadedLayers).toBeUndefined();
    expect(settings.projector).toBeUndefined();
  },
);

it.each(ollamaRunners)(
  "knows of a recorded runner of $ollamaVersion its model and nothing it was not told",
  (capture) => {
    const { modelPath, blobDigest, port, ...settings } = parseRunnerArguments(capture.argv);
    expect(modelPath).toMatch(/blobs\/sha256-/);
    expect(blobDigest).toBe(modelPath?.slice(-64));
    expect(port).toBeGreaterThan(0);
    expect(settings).toEqual({});
  },
);

const BLOB = `/usr/share/ollama/.ollama/models/blobs/sha256-${DIGEST}`;

it("reads the arguments of v0.9, whose flash attention has no word and whose cache has one type", () => {
  const argv =
    `/usr/bin/ollama runner --model ${BLOB} --ctx-size 16384 --batch-size 512 --n-gpu-layers 17 --threads 8 --flash-attn --kv-cache-type q8_0 --no-mmap --parallel 2 --port 40521`.split(
      " ",
    );
  expect(parseRunnerArguments(argv)).toEqual({
    modelPath: BLOB,
    blobDigest: DIGEST,
    port: 40521,
    totalContextLength: 16384,
    parallel: 2,
    contextLength: 8192,
    kvCacheTypeK: "q8_0",
    kvCacheTypeV: "q8_0",
    flashAttention: "on",
    batch: 512,
    mmap: false,
    offloadedLayers: 17,
    threads: 8,
  });
});

describe("of llama-server", () => {
  const parse = (rest: string) =>
    parseRunnerArguments(`llama-server --model ${BLOB} -c 8192 -np 1 ${rest}`.trim().split(" "));

  it.each([
    ["", true],
    ["--load-mode none", false],
    ["--load-mode dio", false],
    ["--no-mmap", false],
  ])("weights are mapped with %j: %j", (rest, mmap) => {
    expect(parse(rest).mmap).toBe(mmap);
  });

  it.each([
    ["--flash-attn on", "on"],
    ["--flash-attn off -t 4", "off"],
    ["-fa auto", "auto"],
    ["", undefined],
  ])("flash attention with %j is %j", (rest, flashAttention) => {
    expect(parse(rest).flashAttention).toBe(flashAttention);
  });

  it.each([
    ["", false],
    ["--context-shift --keep 4", true],
    ["--no-context-shift", false],
  ])("context shift with %j is %j", (rest, contextShift) => {
    expect(parse(rest).contextShift).toBe(contextShift);
  });

  it("a projector, layers, threads and unlike cache types are seen", () => {
    expect(
      parse(
        "--mmproj /blobs/sha256-x --no-mmproj-offload -ngl 33 -t 6 --cache-type-k q8_0 --cache-type-v q4_0",
      ),
    ).toMatchObject({
      projector: true,
      offloadedLayers: 33,
      threads: 6,
      kvCacheTypeK: "q8_0",
      kvCacheTypeV: "q4_0",
    });
  });

  it("values may follow an equals sign, and the last one wins", () => {
    expect(parse("--ctx-size=4096 --parallel=2")).toMatchObject({
      totalContextLength: 4096,
      contextLength: 2048,
    });
  });

  it("layers left to the server are absent", () => {
    expect(parse("-ngl -1").offloadedLayers).toBeUndefined();
  });
});

it("leaves the context of a slot open while the number of slots is not known", () => {
  expect(parseRunnerArguments(["llama-server", "--model", BLOB, "-c", "8192"]).contextLength).toBeUndefined();
  expect(parseRunnerArguments(["llama-server", "-c", "8192", "-np", "0"]).contextLength).toBeUndefined();
});

it("takes any list of words without complaint", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("-c", "-np", "--model", "--flash-attn", "--no-mmap", "--port"),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const settings = parseRunnerArguments(argv);
      for (const value of Object.values(settings))
        if (typeof value === "number") expect(value).toBeGreaterThanOrEqual(0);
    }),
  );
});

it("does not depend on the order of the arguments", () => {
  const pairs = [
    ["--model", BLOB],
    ["-c", "8192"],
    ["-np", "2"],
    ["--flash-attn", "auto"],
    ["--context-shift"],
    ["-b", "1024"],
    ["--load-mode", "none"],
  ];
  const expected = parseRunnerArguments(["llama-server", ...pairs.flat()]);
  fc.assert(
    fc.property(fc.shuffledSubarray(pairs, { minLength: pairs.length }), (shuffled) => {
      expect(parseRunnerArguments(["llama-server", ...shuffled.flat()])).toEqual(expected);
    }),
  );
});

it.each([
  [`C:\\Users\\jo\\.ollama\\models\\blobs\\sha256-${DIGEST}`, DIGEST],
  [BLOB.toUpperCase().replace("BLOBS", "blobs").replace("SHA256", "sha256"), DIGEST],
  ["/home/jo/models/mine.gguf", undefined],
  [`/home/jo/sha256-${DIGEST}`, undefined],
  [`${BLOB}.gguf`, undefined],
])("finds the digest of %s: %j", (path, digest) => {
  expect(blobDigestOf(path)).toBe(digest);
});

it.each([
  ["/usr/local/bin/ollama", "ollama"],
  ["C:\\Program Files\\Ollama\\OLLAMA.EXE", "ollama"],
  [undefined, ""],
])("names the program of %j", (path, name) => {
  expect(programName(path)).toBe(name);
});
