/** The files under docker/, as far as they can be judged without a daemon: they parse, and what they name exists. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { environmentName, settingKeys } from "../../src/config.ts";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterAll(cleanUp);

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = path.join(ROOT, "docker");
const read = (name: string): string => readFileSync(path.join(FOLDER, name), "utf8");
const yamlFiles = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".yaml"),
);

/** Python's parser, where there is one: the program itself needs no YAML, so neither do its dependencies. */
const hasParser = spawnSync("python3", ["-c", "import yaml"]).status === 0;

function parsed(name: string): Record<string, unknown> {
  const script = "import sys, json, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
  return JSON.parse(
    execFileSync("python3", ["-c", script], { input: read(name), encoding: "utf8" }),
  ) as Record<string, unknown>;
}

interface Service {
  image: string;
  ports?: string[];
  volumes?: string[];
  profiles?: string[];
  depends_on?: string[] | Record<string, unknown>;
  environment?: Record<string, string>;
  network_mode?: string;
  pid?: string;
}

describe.skipIf(!hasParser)("YAML", () => {
  it.each(yamlFiles)("%s parses", (name) => {
    expect(Object.keys(parsed(name)).length).toBeGreaterThan(0);
  });

  it("compose: services depend on services, mount what is there, and publish on this machine only", () => {
    const compose = parsed("compose.yaml") as {
      services: Record<string, Service>;
      volumes: Record<string, null>;
    };
    const names = Object.keys(compose.services);
    expect(names).toEqual(["ollama", "plimsoll", "open-webui", "prometheus", "grafana"]);
    for (const service of Object.values(compose.services)) {
      const needs = Array.isArray(service.depends_on)
        ? service.depends_on
        : Object.keys(service.depends_on ?? {});
      expect(names).toEqual(expect.arrayContaining(needs));
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      for (const volume of service.volumes ?? []) {
        const [from = ""] = volume.split(":");
        if (from.startsWith(".")) expect(existsSync(path.join(FOLDER, from)), from).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(from);
      }
    }
    const { ollama, plimsoll, prometheus, grafana } = compose.services;
    // On Ollama's network, so that Ollama can listen on loopback and nothing goes around Plimsoll.
    expect(ollama?.environment?.["OLLAMA_HOST"]).toBe("127.0.0.1:11434");
    expect(plimsoll).toMatchObject({ network_mode: "service:ollama", pid: "service:ollama" });
    expect([prometheus?.profiles, grafana?.profiles]).toEqual([["monitoring"], ["monitoring"]]);
    const known = settingKeys().map(environmentName);
    expect(known).toEqual(expect.arrayContaining(Object.keys(plimsoll?.environment ?? {})));
  });
});

it("the image: runs as a user, ignores nothing it copies, and sets only settings that exist", () => {
  const text = read("Dockerfile");
  expect(text).toMatch(/^USER node$/m);
  expect(text).toMatch(/^HEALTHCHECK /m);
  expect(text).toMatch(/^STOPSIGNAL SIGTERM$/m);
  const set = [...text.matchAll(/(PLIMSOLL_[A-Z_]+)=/g)].map(([, name]) => name);
  expect(settingKeys().map(environmentName)).toEqual(expect.arrayContaining(set));
  const ignored = readFileSync(path.join(ROOT, ".dockerignore"), "utf8");
  for (const name of [
    "src",
    "web",
    "migrations",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.build.json",
    "LICENSE",
  ]) {
    expect(ignored).toContain(`!${name}\n`);
    expect(existsSync(path.join(ROOT, name)), name).toBe(true);
  }
});

it("the dashboard asks for metrics that there are", async () => {
  const dashboard = JSON.parse(read("grafana/dashboards/plimsoll.json")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const simulated = createSimulatedOllama({ instant: true });
  const { url: upstream } = await simulated.listen();
  const { url } = await startBehind({ url: upstream, close: () => simulated.close() });
  const answer = await fetch(`${url}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ model: "gemma3:270m", messages: [{ role: "user", content: "hi" }] }),
  });
  await answer.text();
  const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
  const known = new Set([...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = dashboard.panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) =>
      [...expr.matchAll(/plimsoll_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, "")),
    ),
  );
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
