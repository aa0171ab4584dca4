/** The settings: one schema for types, defaults, messages and the JSON Schema. Flags > environment > file > defaults. */
import { z } from "zod";
import {
  alertSettings,
  CHANNEL_KEYS,
  channelsFromText,
  guardSettings,
  SAFE_OF_CHANNEL,
} from "./alertSettings.ts";
import { nearestWord } from "./nearestWord.ts";

const listen = z
  .string()
  .refine((text) => parseListen(text) !== undefined, "expected host:port, for example 127.0.0.1:11435");

const upstream = z
  .string()
  .refine(isUpstreamUrl, "expected http://host:port without a path, for example http://127.0.0.1:11434");

const kept = (value: number, what: string): z.ZodDefault<z.ZodNumber> =>
  z.number().positive().default(value).describe(what);

const schema = z.strictObject({
  $schema: z.string().optional().describe("Lets editors complete and check this file."),
  listen: listen.default("127.0.0.1:11435").describe("Where clients point instead of at Ollama."),
  upstream: upstream.default("http://127.0.0.1:11434").describe("The Ollama to forward to."),
  dataDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Folder of the database; null is the system's usual place, `:memory:` keeps nothing after the end.",
    ),
  logLevel: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .describe("What is written to standard error."),
  token: z
    .string()
    .min(8, "expected at least 8 characters")
    .nullable()
    .default(null)
    .describe("Needed for /plimsoll when listening on more than loopback."),
  allowedHosts: z
    // With a port it would match no `Host`, and nobody would know why.
    .array(
      z
        .string()
        .regex(
          /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+)$/,
          "expected a name or address without scheme and port, for example box.local",
        ),
    )
    .default(["localhost", "127.0.0.1", "[::1]"])
    .describe(
      "Host names a request may carry when listening on more than loopback. Names only, without port.",
    ),
  sampling: z
    .strictObject({
      intervalMs: z
        .number()
        .int()
        .min(250)
        .max(60_000)
        .default(1000)
        .describe("Time between two readings of memory."),
    })
    .prefault({})
    .describe("How memory is read."),
  retention: z
    .strictObject({
      exchangeDays: kept(365, "How long exchanges are kept."),
      otherExchangeDays: kept(
        7,
        "How long requests that are no inference are kept, such as a page polling /api/tags.",
      ),
      rawSampleHours: kept(6, "How long every single memory reading is kept."),
      tenSecondSampleDays: kept(7, "How long 10-second averages are kept."),
      minuteSampleDays: kept(90, "How long 1-minute averages are kept; 15-minute averages stay."),
    })
    .prefault({})
    .describe("How long things are kept."),
  alerts: alertSettings,
  guard: guardSettings,
});

export type Config = Omit<z.infer<typeof schema>, "$schema">;

/** Where an effective value came from. */
export type Origin = "default" | "file" | "environment" | "flag";

/** The start stops with this: one line per problem, each naming the key, the value and the fix. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

export interface ConfigSources {
  /** Flag values by config key, e.g. `{ listen: "127.0.0.1:1" }`. */
  flags: Record<string, string | undefined>;
  environment: Record<string, string | undefined>;
  file?: { path: string; text: string };
}

/** Environment names that are no settings of the file. */
const OTHER_VARIABLES = new Set(["PLIMSOLL_CONFIG", "PLIMSOLL_MEMORY_SOURCE", "PLIMSOLL_REAL_OLLAMA"]);

/** The effective settings. Throws `ConfigError`. */
export function loadConfig(sources: ConfigSources): {
  config: Config;
  origins: Map<string, Origin>;
  warnings: string[];
} {
  const origins = new Map<string, Origin>();
  const merged: Record<string, unknown> = {};
  const names = new Map<string, string>();
  const put = (key: string, value: unknown, origin: Origin, name: string): void => {
    setPath(merged, key.split("."), value);
    origins.set(key, origin);
    names.set(key, name);
  };
  if (sources.file !== undefined) {
    const parsed = parseFile(sources.file.text, sources.file.path);
    Object.assign(merged, parsed);
    for (const key of leafKeys(parsed)) {
      origins.set(key, "file");
      names.set(key, `${key} in ${sources.file.path}`);
    }
  }
  const warnings = applyEnvironment(sources.environment, put);
  for (const [key, value] of Object.entries(sources.flags)) {
    if (value !== undefined) {
      put(key, fromText(key, value), "flag", flagName(key));
    }
  }
  const result = schema.safeParse(merged);
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => explain(issue, merged, names)).join("\n"));
  }
  const { $schema: _, ...config } = result.data;
  return { config, origins, warnings };
}

/** JSON Schema of the configuration file. */
export function configJsonSchema(): object {
  return z.toJSONSchema(schema, { io: "input" });
}

/** Every setting's key, dotted, with its default. */
export function settingKeys(): string[] {
  return leafKeys(schema.parse({}));
}

export function environmentName(key: string): string {
  return `PLIMSOLL_${key
    .replaceAll(".", "_")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toUpperCase()}`;
}

/** `host:port`, a bare port, a bare host or an http URL, as `OLLAMA_HOST` takes them. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const bare = text
    .trim()
    .replace(/^http:\/\//i, "")
    .replace(/\/$/, "");
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:[\]/\s]+)(?::(\d{1,5}))?|:?(\d{1,5}))$/i.exec(bare);
  if (match === null) {
    return undefined;
  }
  const onlyDigits = match[1] !== undefined && /^\d{1,5}$/.test(match[1]) && match[2] === undefined;
  const port = Number(onlyDigits ? match[1] : (match[2] ?? match[3] ?? 11435));
  const host = onlyDigits || match[1] === undefined ? "127.0.0.1" : match[1].replace(/^\[|\]$/g, "");
  return port <= 65_535 ? { host, port } : undefined;
}

/** Loopback: nobody but this machine can connect. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function isUpstreamUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    url.protocol === "http:" &&
    url.pathname === "/" &&
    url.search === "" &&
    url.username === ""
  );
}

function parseFile(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text, (key, child: unknown) => {
      // As a key of an object it would become what the object inherits from, past every check.
      if (key === "__proto__") {
        throw new ConfigError(`unknown key "__proto__" in ${path}`);
      }
      return child;
    });
  } catch (error) {
    if (error instanceof ConfigError) {
      throw error;
    }
    throw new ConfigError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(`${path} must hold one JSON object, as config.example.json does`);
  }
  return value as Record<string, unknown>;
}

function applyEnvironment(
  environment: ConfigSources["environment"],
  put: (key: string, value: unknown, origin: Origin, name: string) => void,
): string[] {
  const keyOf = new Map(settingKeys().map((key) => [environmentName(key), key]));
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("PLIMSOLL_") || OTHER_VARIABLES.has(name) || value === undefined) {
      continue;
    }
    const key = keyOf.get(name);
    if (key !== undefined) {
      put(key, fromText(key, value), "environment", name);
    } else {
      const nearest = nearestWord(name, [...keyOf.keys(), ...OTHER_VARIABLES]);
      warnings.push(`${name} is no setting${nearest === undefined ? "" : `; did you mean ${nearest}?`}`);
    }
  }
  return warnings;
}

/** Text from a flag or the environment as the type its key has. A wrong type is left to the schema to explain. */
function fromText(key: string, text: string): unknown {
  const defaults = schema.parse({});
  const value = getPath(defaults, key.split("."));
  if (typeof value === "number") {
    return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
  }
  if (key === "alerts.channels") {
    return channelsFromText(text);
  }
  if (Array.isArray(value)) {
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }
  return text;
}

function explain(
  issue: z.core.$ZodIssue,
  merged: Record<string, unknown>,
  names: ReadonlyMap<string, string>,
): string {
  const key = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const siblings = settingKeys()
      .map((name) => name.split("."))
      .filter((path) => path.slice(0, issue.path.length).join(".") === key)
      .map((path) => path[issue.path.length] ?? "");
    return issue.keys
      .map((unknown) => {
        const known = siblings.length > 0 ? siblings : CHANNEL_KEYS;
        const nearest = nearestWord(unknown, known);
        const full = [...issue.path, unknown].join(".");
        const where = names.get(full)?.slice(full.length) ?? "";
        return `unknown key "${full}"${where}; ${nearest === undefined ? `known are ${[...new Set(known)].join(", ")}` : `did you mean "${[...issue.path, nearest].join(".")}"?`}`;
      })
      .join("\n");
  }
  const name = nameOf(issue.path, names);
  const reason = issue.message.replace(/^Invalid (input|option|discriminator value)[.:] /, "");
  const value = getPath(merged, issue.path);
  if (value === undefined) {
    return `${name} is missing: ${reason.replace(/, received undefined$/, "")}`;
  }
  // Tokens and the addresses of channels are secrets: their values stay out of messages and logs.
  const last = String(issue.path.at(-1));
  const isSecret = last === "token" || (key.startsWith("alerts.channels") && !SAFE_OF_CHANNEL.has(last));
  return isSecret
    ? `${name} is not valid: ${reason}`
    : `${name}: ${JSON.stringify(value)} is not valid: ${reason}`;
}

/** Where a value was set: a flag, a variable, a file; of a list the entry is named too. */
function nameOf(path: readonly PropertyKey[], names: ReadonlyMap<string, string>): string {
  for (let length = path.length; length > 0; length -= 1) {
    const name = names.get(path.slice(0, length).join("."));
    if (name !== undefined) {
      const rest = path.slice(length).join(".");
      return rest === "" ? name : `${path.join(".")}, from ${name}`;
    }
  }
  return path.join(".");
}

function flagName(key: string): string {
  return `--${key.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase()}`;
}

function leafKeys(value: Record<string, unknown>, prefix = ""): string[] {
  return Object.entries(value).flatMap(([name, child]) =>
    typeof child === "object" && child !== null && !Array.isArray(child)
      ? leafKeys(child as Record<string, unknown>, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}

function getPath(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) {
      return undefined;
    }
    current = (current as Record<PropertyKey, unknown>)[name];
  }
  return current;
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (name === undefined) {
    return;
  }
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const child = Object.hasOwn(target, name) ? target[name] : undefined;
  const next = typeof child === "object" && child !== null ? { ...(child as Record<string, unknown>) } : {};
  target[name] = next;
  setPath(next, rest, value);
}
