/**
 * Every parser that reads what others wrote, fed with anything: a value of its type, or the one error it states;
 * never an exception of another kind, an endless loop, a figure that is none, or a change to what all objects share.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { parseRegistry, parseUnitEnvironment } from "../../src/cli/doctor/ollamaEnvironment.ts";
import { ConfigError, loadConfig, parseListen } from "../../src/config.ts";
import { parseMoment } from "../../src/cli/moment.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { BadParameter, integer, moment, oneOf, readQuery, text } from "../../src/dashboard/parameters.ts";
import { parseGroupMembership, parseLimit, unreclaimableBytes } from "../../src/memory/cgroup.ts";
import { splitPsCommand, splitWindowsCommand } from "../../src/memory/commandLine.ts";
import { parseNvidiaLine } from "../../src/memory/gpu-nvidia.ts";
import { parsePsLine, parseSwapUse } from "../../src/memory/macSurvey.ts";
import { createVmStatParser } from "../../src/memory/macVmStat.ts";
import { parseMeminfo } from "../../src/memory/meminfo.ts";
import { parsePressure } from "../../src/memory/pressure.ts";
import { parseRecordedRun } from "../../src/memory/recordedRun.ts";
import { parseVmstat } from "../../src/memory/vmstat.ts";
import { parseWindowsReport } from "../../src/memory/windowsReport.ts";
import { createAnswerReader } from "../../src/ollama/answer.ts";
import { createBoundedText } from "../../src/ollama/boundedText.ts";
import { clientName, retryCount } from "../../src/ollama/clientName.ts";
import { classify, errorDialect } from "../../src/ollama/endpoints.ts";
import { parseFirstValue } from "../../src/ollama/firstValue.ts";
import { parseGoDuration } from "../../src/ollama/goDuration.ts";
import { hostIsAllowedByOllama } from "../../src/ollama/hostCheck.ts";
import { asCount, asName, asObject, structFields } from "../../src/ollama/lenient.ts";
import { readRequest } from "../../src/ollama/request.ts";
import { readRunnerSettings } from "../../src/ollama/runnerSettings.ts";
import { describeUpstreamError, errorBody } from "../../src/ollama/upstreamError.ts";
import { compatibleUsage, isZeroUsage, ollamaUsage, stopReason } from "../../src/ollama/usage.ts";
import { parseOllamaVersion } from "../../src/predict/ollamaVersion.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { admit, splitTarget } from "../../src/proxy/admission.ts";

const RUNS = 200;

/** Text as it comes off wires and out of files: words of the formats, cut and joined, and any character at all. */
const scrap = fc.constantFrom(
  "MemAvailable:",
  "SwapTotal:",
  " kB",
  "some avg10=",
  "total=",
  "full",
  "Pages free:",
  "0::/",
  "max",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "=",
  "\n",
  "\r\n",
  "\t",
  "\0",
  " ",
  "-1",
  "0",
  "1e999",
  "99999999999999999999",
  "0x10",
  "NaN",
  "Infinity",
  "null",
  "true",
  "GPU-1",
  "MiB",
  "sha256-",
  "--model",
  "/blobs/",
  "REG_SZ",
  "Environment=",
  "takenAt",
  "totalBytes",
  "t,",
  "__proto__",
  "constructor",
  "5m",
  "1h",
  "µs",
  "localhost",
  "[::1]",
  "💥",
  "\ud800",
  "é",
);
const wild = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.oneof(scrap, fc.string({ maxLength: 5 })), { maxLength: 20 }).map((parts) => parts.join("")),
);
/** Any JSON value, with the keys that every object has among its keys. */
const json = fc
  .jsonValue({ maxDepth: 4 })
  .chain((value) =>
    fc
      .constantFrom("__proto__", "constructor", "prototype", "model", "usage", "message")
      .map((key): unknown =>
        JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)},"x":${JSON.stringify(value)}}`),
      ),
  );

/** No number in it is NaN or infinite, however deep. */
function expectFinite(value: unknown): void {
  if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
  if (typeof value === "object" && value !== null) Object.values(value).forEach(expectFinite);
}

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)["model"]).toBeUndefined();
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

const TEXT_PARSERS: [string, (text: string) => unknown][] = [
  ["parseMeminfo", parseMeminfo],
  ["parseVmstat", parseVmstat],
  ["parsePressure", parsePressure],
  ["parseGroupMembership", parseGroupMembership],
  ["parseLimit", parseLimit],
  ["unreclaimableBytes v1", (line) => unreclaimableBytes(line, 1, 0)],
  ["unreclaimableBytes v2", (line) => unreclaimableBytes(line, 2, 0)],
  ["splitPsCommand", splitPsCommand],
  ["splitWindowsCommand", splitWindowsCommand],
  ["parseNvidiaLine", parseNvidiaLine],
  ["parsePsLine", parsePsLine],
  ["parseSwapUse", parseSwapUse],
  ["vm_stat", (line) => line.split("\n").map(createVmStatParser())],
  ["parseWindowsReport", parseWindowsReport],
  ["clientName", clientName],
  ["retryCount", retryCount],
  ["classify", (path) => [classify("POST", path), classify(path, "/api/chat"), errorDialect(path)]],
  ["parseGoDuration", parseGoDuration],
  [
    "hostIsAllowedByOllama",
    (host) => hostIsAllowedByOllama(host, { hostname: "box", localAddresses: ["10.0.0.1"] }),
  ],
  ["parseOllamaVersion", parseOllamaVersion],
  [
    "describeUpstreamError",
    (error) => [describeUpstreamError(error, 500), errorBody("openai", { status: 502, message: error })],
  ],
  ["parseListen", parseListen],
  ["splitTarget", splitTarget],
  ["parseUnitEnvironment", parseUnitEnvironment],
  ["parseRegistry", parseRegistry],
];

describe("text gives a value and no exception", () => {
  it.each(TEXT_PARSERS)("%s", (_name, parse) => {
    fc.assert(
      fc.property(wild, (input) => expectFinite(parse(input))),
      { numRuns: RUNS },
    );
  });
});

describe("any JSON value gives a value and no exception", () => {
  it.each<[string, (value: unknown) => unknown]>([
    ["asObject, asName, asCount", (value) => [asObject(value), asName(value), asCount(value)]],
    ["structFields", (value) => [...structFields(value).keys()]],
    ["readRunnerSettings", (value) => readRunnerSettings(structFields(value))],
    ["ollamaUsage", (value) => ollamaUsage(asObject(value) ?? {})],
    ["compatibleUsage", compatibleUsage],
    ["isZeroUsage, stopReason", (value) => [isZeroUsage(value), stopReason(value)]],
  ])("%s", (_name, read) => {
    fc.assert(
      fc.property(fc.oneof(json, fc.jsonValue()), (value) => expectFinite(read(value))),
      { numRuns: RUNS },
    );
  });

  it("shapeFromShow: a shape, or an Error that says what is missing", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          json,
          json.map((value) => ({ model_info: value, tensors: [value] })),
        ),
        (value) => {
          try {
            shapeFromShow(value);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect((error as Error).name).not.toBe("TypeError");
            expect((error as Error).name).not.toBe("RangeError");
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe("what states its error throws nothing else", () => {
  const states = (
    name: string,
    input: fc.Arbitrary<string>,
    run: (text: string) => unknown,
    kind: (error: unknown) => boolean,
  ) =>
    it(name, () => {
      fc.assert(
        fc.property(input, (one) => {
          try {
            run(one);
          } catch (error) {
            expect(kind(error), String(error)).toBe(true);
          }
        }),
        { numRuns: RUNS },
      );
    });
  states(
    "a recorded run",
    wild,
    (one) => parseRecordedRun(one, { fileName: "x.csv" }),
    (error) => error instanceof Error && error.message.startsWith("x.csv, "),
  );
  states(
    "a moment",
    wild,
    (one) => parseMoment("--from", one, 0),
    (error) => error instanceof UsageError,
  );
  states("the first value of a text", wild, parseFirstValue, (error) => error instanceof SyntaxError);
  states(
    "a query",
    wild,
    (one) =>
      readQuery(`http://localhost/x?${one}`, {
        limit: integer(1, 10),
        from: moment(),
        format: oneOf(["csv"]),
        model: text(),
      }),
    (error) => error instanceof BadParameter,
  );
  states(
    "a settings file",
    fc.oneof(
      wild,
      json.map((value) => JSON.stringify(value)),
    ),
    (one) => loadConfig({ flags: {}, environment: {}, file: { path: "x", text: one } }),
    (error) => error instanceof ConfigError,
  );
  states(
    "settings from flags and environment",
    wild,
    (one) =>
      loadConfig({
        flags: { listen: one, upstream: one },
        environment: {
          PLIMSOLL_SAMPLING_INTERVAL_MS: one,
          PLIMSOLL_ALLOWED_HOSTS: one,
          [`PLIMSOLL_${one}`]: one,
        },
      }),
    (error) => error instanceof ConfigError,
  );
});

it("an answer in any dialect, cut anywhere, of any content, ends with facts", () => {
  const dialects = fc.constantFrom(
    "ollama",
    "openai",
    "responses",
    "anthropic",
    "none",
  ) as fc.Arbitrary<"ollama">;
  const types = fc.constantFrom(
    "application/x-ndjson",
    "text/event-stream",
    "application/json",
    undefined,
    "text/html",
  );
  const part = fc.oneof(
    wild,
    json.map((value) => `${JSON.stringify(value)}\n`),
    json.map((value) => `data: ${JSON.stringify(value)}\n\n`),
    fc.constant("data: [DONE]\n\n"),
  );
  fc.assert(
    fc.property(
      dialects,
      types,
      fc.array(part, { maxLength: 8 }),
      fc.boolean(),
      (dialect, contentType, parts, whole) => {
        const reader = createAnswerReader({
          operation: "chat",
          dialect,
          method: "POST",
          status: 200,
          contentType,
          contentEncoding: undefined,
          onContent: () => {},
        });
        for (const one of parts) reader.push(Buffer.from(one));
        expectFinite(reader.end(whole ? "whole" : "cut").usage);
      },
    ),
    { numRuns: RUNS },
  );
});

describe("a request whose values are objects that cannot be made into text", () => {
  const VALUES = [
    '{"toString":1,"valueOf":1}',
    '{"toString":null}',
    '[{"toString":1}]',
    `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
    `${'{"content":['.repeat(20_000)}${"]}".repeat(20_000)}`,
  ];
  const message = (fields: string): string => `{"role":"user","content":"hi",${fields}}`;
  const part = (fields: string): string => message(`"content":[{"type":"text","text":"hi",${fields}}]`);
  const FIELDS = ["role", "type", "content", "text", "images", "tool_calls", "source", "image_url"];

  it.each([
    ["ollama", "messages"],
    ["openai", "messages"],
    ["anthropic", "messages"],
    ["responses", "input"],
  ] as const)("is read for the rest of it: %s", (dialect, list) => {
    for (const value of VALUES) {
      for (const name of FIELDS) {
        for (const one of [message(`"${name}":${value}`), part(`"${name}":${value}`)]) {
          const body = Buffer.from(`{"model":"m","${list}":[${one},${message('"x":1')}]}`);
          const facts = readRequest(body, { operation: "chat", dialect, salt: "s" });
          expect(facts).toMatchObject({ model: "m", messageCount: 2 });
          expect(facts.conversation?.messages?.at(-1)?.role, `${name}: ${value.slice(0, 40)}`).toBe("user");
        }
      }
    }
  });

  it.each(VALUES)("is read for the rest of it: a completion whose context holds one (%#)", (value) => {
    const body = Buffer.from(`{"model":"m","prompt":"hi","context":[1,${value}]}`);
    const facts = readRequest(body, { operation: "generate", dialect: "ollama", salt: "s" });
    expect(facts.model).toBe("m");
    expect(facts.conversation?.context).toBeUndefined();
  });
});

it("bounded text is all that was added, or nothing once it is more than its limit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 3000 }), (bytes, limit) => {
      const bounded = createBoundedText(limit);
      for (const byte of bytes) bounded.add(byte);
      expect(bounded.text()).toBe(bytes.length > limit ? undefined : Buffer.from(bytes).toString());
    }),
    { numRuns: RUNS },
  );
});

it("a head of any shape is admitted or refused, and only with one of the statuses we state", () => {
  const head = fc.record({
    httpVersion: fc.constantFrom("1.1", "1.0", "2.0", "0.9"),
    method: wild,
    target: wild,
    rawHeaders: fc.array(fc.oneof(wild, fc.constantFrom("Host", "Origin"))),
  });
  fc.assert(
    fc.property(head, fc.boolean(), (one, allowed) => {
      const admission = admit(one, () => allowed);
      if (!admission.admitted) expect([400, 403, 505]).toContain(admission.status);
      else expect(["1.0", "1.1"]).toContain(one.httpVersion);
    }),
    { numRuns: RUNS },
  );
});

describe("prototype pollution", () => {
  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"sampling":{"__proto__":{"polluted":1}}}',
    '{"__proto__":{"token":"12345678"}}',
  ])("a settings file %s is refused or has no effect", (file) => {
    let token: string | null = null;
    try {
      token = loadConfig({ flags: {}, environment: {}, file: { path: "x", text: file } }).config.token;
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
    }
    expect(token).toBeNull();
  });

  it("an environment variable that names a prototype has no effect", () => {
    const { config } = loadConfig({
      flags: {},
      environment: { PLIMSOLL___PROTO___POLLUTED: "1", PLIMSOLL_CONSTRUCTOR: "x" },
    });
    expect(Object.hasOwn(config, "polluted")).toBe(false);
  });
});
