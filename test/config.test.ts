import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  configJsonSchema,
  environmentName,
  isLoopback,
  loadConfig,
  parseListen,
  settingKeys,
} from "../src/config.ts";

const load = (sources: Partial<Parameters<typeof loadConfig>[0]>) =>
  loadConfig({ flags: {}, environment: {}, ...sources });
const file = (value: unknown) => ({ file: { path: "c.json", text: JSON.stringify(value) } });

describe("precedence", () => {
  it("takes flags before the environment, the environment before the file, the file before defaults", () => {
    const all = {
      flags: { listen: "127.0.0.1:1" },
      environment: { PLIMSOLL_LISTEN: "127.0.0.1:2", PLIMSOLL_UPSTREAM: "http://a:2" },
      ...file({ listen: "127.0.0.1:3", upstream: "http://a:3", logLevel: "debug" }),
    };
    const { config, origins } = load(all);
    expect(config).toMatchObject({ listen: "127.0.0.1:1", upstream: "http://a:2", logLevel: "debug" });
    expect(config.retention.exchangeDays).toBe(365);
    expect([origins.get("listen"), origins.get("upstream"), origins.get("logLevel")]).toEqual([
      "flag",
      "environment",
      "file",
    ]);
  });

  it("reads every setting from the environment, in its own type", () => {
    const { config } = load({
      environment: { PLIMSOLL_SAMPLING_INTERVAL_MS: "500", PLIMSOLL_ALLOWED_HOSTS: "a, b" },
    });
    expect(config.sampling.intervalMs).toBe(500);
    expect(config.allowedHosts).toEqual(["a", "b"]);
  });
});

describe("what stops the start", () => {
  it.each([
    [
      "an unknown key, with the nearest",
      file({ listn: "x" }),
      /unknown key "listn" in c\.json; did you mean "listen"/,
    ],
    [
      "an unknown key like none, with those there are",
      file({ guard: { margin: 1 } }),
      /unknown key "guard\.margin" in c\.json; known are mode, marginBytes$/,
    ],
    [
      "an unknown key of a channel",
      file({ alerts: { channels: [{ type: "log", minLevel: "warn" }] } }),
      /unknown key "alerts\.channels\.0\.minLevel"; known are type, name, minimumLevel, /,
    ],
    [
      "a host with a port, which would match none",
      file({ allowedHosts: ["[::1]", "box.local", "box.local:80"] }),
      /allowedHosts\.2, .*"box\.local:80".*without scheme and port/,
    ],
    [
      "an unknown nested key",
      file({ sampling: { intervalms: 1 } }),
      /"sampling.intervalms".*"sampling.intervalMs"/,
    ],
    ["a bad listen", { flags: { listen: "nonsense:port" } }, /--listen: "nonsense:port".*host:port/],
    [
      "a bad upstream",
      { environment: { PLIMSOLL_UPSTREAM: "ftp://x" } },
      /PLIMSOLL_UPSTREAM: "ftp:\/\/x".*http:\/\//,
    ],
    ["an upstream with a path", { flags: { upstream: "http://a/v1" } }, /--upstream: "http:\/\/a\/v1"/],
    [
      "a wrong type",
      file({ sampling: { intervalMs: "often" } }),
      /sampling.intervalMs in c.json: "often".*number/,
    ],
    [
      "a number out of range",
      { environment: { PLIMSOLL_SAMPLING_INTERVAL_MS: "1" } },
      /PLIMSOLL_SAMPLING_INTERVAL_MS: 1/,
    ],
    ["JSON that is none", { file: { path: "c.json", text: "{" } }, /c\.json is not valid JSON/],
    ["JSON that is no object", { file: { path: "c.json", text: "[]" } }, /c\.json must hold one JSON object/],
  ])("%s", (_name, sources, message) => {
    expect(() => load(sources as Partial<Parameters<typeof loadConfig>[0]>)).toThrow(message);
  });

  it("never shows the token", () => {
    expect(() => load({ flags: { token: "short" } })).toThrow(/token/);
    try {
      load({ flags: { token: "short" } });
    } catch (error) {
      expect(String(error)).not.toContain("short");
    }
  });

  it("names all problems at once", () => {
    expect(() => load(file({ a: 1, logLevel: "loud" }))).toThrow(
      /unknown key "a"[^]*logLevel|logLevel[^]*unknown key "a"/,
    );
  });
});

it("warns of an unknown PLIMSOLL_ variable with the nearest one", () => {
  const { warnings } = load({ environment: { PLIMSOLL_UPSTRAEM: "x", PLIMSOLL_REAL_OLLAMA: "x" } });
  expect(warnings).toEqual(["PLIMSOLL_UPSTRAEM is no setting; did you mean PLIMSOLL_UPSTREAM?"]);
});

describe("the example file", () => {
  const example = JSON.parse(readFileSync("config.example.json", "utf8")) as Record<string, unknown>;

  it("is valid and holds exactly the defaults", () => {
    const { $schema: _, ...settings } = example;
    expect(load(file(example)).config).toEqual(load({}).config);
    expect(Object.keys(settings).toSorted()).toEqual(
      [...new Set(settingKeys().map((key) => key.split(".")[0]))].toSorted(),
    );
  });

  it("comes with a JSON Schema that is up to date and describes every key", () => {
    const schema = configJsonSchema() as Described;
    expect(JSON.parse(readFileSync("config.schema.json", "utf8"))).toEqual(
      JSON.parse(JSON.stringify(schema)),
    );
    expect(undescribed(schema)).toEqual([]);
  });
});

interface Described {
  description?: string;
  properties?: Record<string, Described>;
}

function undescribed(schema: Described, at = ""): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [
    ...(child.description === undefined ? [`${at}${name}`] : []),
    ...undescribed(child, `${at}${name}.`),
  ]);
}

describe("parseListen", () => {
  it.each([
    ["127.0.0.1:1", "127.0.0.1", 1],
    ["localhost", "localhost", 11435],
    ["11500", "127.0.0.1", 11500],
    [":11500", "127.0.0.1", 11500],
    ["http://0.0.0.0:80/", "0.0.0.0", 80],
    ["[::1]:5", "::1", 5],
  ])("%s", (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });

  it.each(["a:b", "a:99999", "a/b", "", "::1:5x", "a b"])("refuses %j", (text) => {
    expect(parseListen(text)).toBeUndefined();
  });
});

it("derives environment names mechanically", () => {
  expect(settingKeys().map(environmentName)).toContain("PLIMSOLL_RETENTION_TEN_SECOND_SAMPLE_DAYS");
});

it.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["192.168.1.1", false],
  ["127.0.0.1.evil.example", false],
])("isLoopback(%s) is %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
