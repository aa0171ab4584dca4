import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRemedies, type Remedies } from "../../src/predict/remedies.ts";
import type { Remedy } from "../../src/types.ts";

const MIB = 2 ** 20;
const now = createRemedies({ ollamaVersion: "0.33.0" });

function onlyOn(remedy: Remedy | undefined, platform: string): string[] {
  return (remedy?.commands ?? []).filter((command) => command.platform === platform).map(({ text }) => text);
}

describe("words and figures", () => {
  it("says what a larger context costs and whether it fits", () => {
    const facts = { model: "gemma3:270m", contextLength: 16_384, costBytes: 448 * MIB };
    expect(now.largerContext({ ...facts, verdict: "fits" }).text).toBe(
      "Set num_ctx to 16384 for gemma3:270m: costs 448 MiB more and fits",
    );
    expect(now.largerContext({ ...facts, verdict: "overflows", shortBytes: 2 ** 30 }).text).toMatch(
      /costs 448 MiB more and does not fit \(1\.0 GiB short\)$/,
    );
    expect(now.largerContext({ model: "m", contextLength: 8192 }).text).toBe("Set num_ctx to 8192 for m");
  });

  it("says what a smaller one frees, also as a figure", () => {
    const remedy = now.smallerContext({ model: "m", contextLength: 8192, savesBytes: 1.3 * 2 ** 30 });
    expect(remedy.text).toBe("Set num_ctx to 8192 for m: frees 1.3 GiB");
    expect(remedy.savesBytes).toBe(1.3 * 2 ** 30);
    expect(onlyOn(remedy, "any")).toEqual(['"options": {"num_ctx": 8192}', "FROM m\nPARAMETER num_ctx 8192"]);
  });

  it("gives the Modelfile way to whoever cannot send num_ctx", () => {
    for (const dialect of ["openai", "responses", "anthropic"]) {
      const remedy = now.largerContext({ model: "gemma3:270m", contextLength: 16_384, dialect });
      expect(remedy.text).toContain("/v1 cannot set num_ctx");
      expect(onlyOn(remedy, "any")).toEqual(["FROM gemma3:270m\nPARAMETER num_ctx 16384"]);
      expect(onlyOn(remedy, "linux").join()).toContain("ollama create 'gemma3-270m-16k'");
    }
    expect(now.largerContext({ model: "m", contextLength: 4096, dialect: "ollama" }).text).not.toContain(
      "/v1",
    );
  });

  it("tells two clients the one context that ends their fight", () => {
    const remedy = now.agreeOnContext({
      model: "m",
      clients: ["continue", "open-webui"],
      contextLength: 32_768,
      dialects: ["ollama", "openai"],
    });
    expect(remedy.text).toBe(
      "Set num_ctx to 32768 in both continue and open-webui for m, so that neither makes it load again; over /v1 that takes a Modelfile",
    );
  });

  it("names what a long chat costs", () => {
    expect(now.freshChat({ turn: 17, waitMs: 14_900, bytesPerTurn: 45 * MIB }).text).toBe(
      "Start a fresh chat: from turn 17 on each turn of this one waits about 15 s and adds 45 MiB",
    );
  });
});

describe("where to write it", () => {
  it("is said for each system", () => {
    const remedy = now.cacheType({ type: "q8_0", savesBytes: 512 * MIB });
    expect(remedy?.savesBytes).toBe(512 * MIB);
    expect(onlyOn(remedy, "linux")[0]).toContain(
      `'[Service]' 'Environment="OLLAMA_KV_CACHE_TYPE=q8_0"' 'Environment="OLLAMA_FLASH_ATTENTION=1"'`,
    );
    expect(onlyOn(remedy, "linux")[1]).toBe(
      "OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_FLASH_ATTENTION=1 ollama serve",
    );
    expect(onlyOn(remedy, "macos")[0]).toContain(
      "launchctl setenv OLLAMA_KV_CACHE_TYPE q8_0 && launchctl setenv",
    );
    expect(onlyOn(remedy, "windows")).toEqual([
      "setx OLLAMA_KV_CACHE_TYPE q8_0\nsetx OLLAMA_FLASH_ATTENTION 1",
    ]);
    expect(onlyOn(remedy, "docker")).toEqual([
      "-e OLLAMA_KV_CACHE_TYPE=q8_0 -e OLLAMA_FLASH_ATTENTION=1",
      "environment:\n  - OLLAMA_KV_CACHE_TYPE=q8_0\n  - OLLAMA_FLASH_ATTENTION=1",
    ]);
  });

  it("counts the prompt cache in MiB, as llama-server does", () => {
    expect(onlyOn(now.promptCache({ limitBytes: 2 * 2 ** 30 }), "docker")[0]).toBe(
      "-e LLAMA_ARG_CACHE_RAM=2048",
    );
  });
});

describe("versions", () => {
  const offered = (version: string) => {
    const remedies = createRemedies({ ollamaVersion: version });
    return {
      promptCache: remedies.promptCache({ limitBytes: MIB }) !== undefined,
      serverContext: remedies.serverContext({ contextLength: 8192 }) !== undefined,
      cacheType: remedies.cacheType({ type: "q8_0" }) !== undefined,
      stop: remedies.stopModel({ model: "m" }) !== undefined,
    };
  };

  it.each([
    ["0.33.0-rc2", true, true, true, true],
    ["0.30.0", true, true, true, true],
    ["0.24.0", false, true, true, true],
    ["0.5.12", false, false, true, true],
    ["0.4.7", false, false, false, true],
    ["0.3.10", false, false, false, false],
  ])("%s is offered only what it knows", (version, promptCache, serverContext, cacheType, stop) => {
    expect(offered(version)).toEqual({ promptCache, serverContext, cacheType, stop });
  });
});

/** All remedies that carry a name from outside. */
function withName(remedies: Remedies, name: string): Remedy[] {
  return [
    remedies.largerContext({ model: name, contextLength: 8192 }),
    remedies.largerContext({ model: name, contextLength: 8192, dialect: "openai" }),
    remedies.smallerContext({ model: name, contextLength: 8192 }),
    remedies.agreeOnContext({ model: name, clients: [name, name], contextLength: 8192 }),
    remedies.modelWithContext({ model: name, contextLength: 8192 }),
    remedies.smallerModel({ model: name, quantization: name }),
    remedies.closePrograms({ names: [name] }),
    remedies.longerKeepAlive({ model: name, keepAlive: name }),
    ...[remedies.stopModel({ model: name })].filter((remedy) => remedy !== undefined),
  ];
}

describe("hostile names", () => {
  it("never reach a command, and no control character reaches a text", () => {
    const nasty = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "a; rm -rf ~",
        "$(reboot)",
        "`id`",
        "a\nRUN x",
        "-rf",
        "a'b",
        'a"b',
        "a|b",
        "\u001b[2J",
        "’; x",
      ),
    );
    fc.assert(
      fc.property(nasty, (name) => {
        for (const { text, commands } of withName(now, name)) {
          expect(text).not.toMatch(/\p{Cc}/u);
          expect(text.length).toBeLessThan(500);
          if (!/^[a-z0-9][\w.:/-]*$/i.test(name)) {
            for (const command of commands) {
              expect(name.length > 3 && command.text.includes(name)).toBe(false);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(
      withName(now, "a; rm -rf ~")
        .flatMap(({ commands }) => commands)
        .map(({ text }) => text)
        .join(),
    ).not.toContain("rm -rf");
  });

  it("leave the option that needs no name", () => {
    const { commands } = now.largerContext({ model: "a; reboot", contextLength: 8192 });
    expect(commands).toEqual([{ platform: "any", text: '"options": {"num_ctx": 8192}' }]);
  });
});

describe.skipIf(process.platform === "win32")("in a real shell", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "plimsoll-remedies-"));
    const script = (name: string, body: string) => {
      writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`);
      chmodSync(path.join(folder, name), 0o755);
    };
    script("ollama", 'echo "ollama $1 $2"; [ "$3" = -f ] && cat "$4"; exit 0');
    script("docker", 'shift 2; [ "$1" = sh ] && exec "$@"; exec "$@"');
    script("sudo", 'exec "$@"');
    script("systemctl", 'echo "systemctl $*"');
    script("mkdir", ":");
    script("tee", 'echo "to $1"; cat');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string): string =>
    execFileSync("sh", ["-c", command], {
      env: { PATH: `${folder}:${process.env["PATH"]}`, TMPDIR: folder },
      encoding: "utf8",
    });

  it("the Modelfile way makes a model of the right name from the right file", () => {
    const remedy = now.modelWithContext({ model: "hf.co/User/Model-GGUF:Q4_K_M", contextLength: 16_384 });
    const made =
      "ollama create Model-GGUF-Q4_K_M-16k\nFROM hf.co/User/Model-GGUF:Q4_K_M\nPARAMETER num_ctx 16384\n";
    expect(run(onlyOn(remedy, "linux")[0] ?? "")).toBe(made);
    expect(run(onlyOn(remedy, "macos")[0] ?? "")).toBe(made);
    expect(run(onlyOn(remedy, "docker")[0] ?? "")).toBe(made);
  });

  it("a drop-in holds the unit's section and one line a setting, and the service starts again", () => {
    const remedy = now.oneModel();
    expect(run(onlyOn(remedy, "linux")[0] ?? "")).toBe(
      [
        "to /etc/systemd/system/ollama.service.d/plimsoll-ollama-max-loaded-models.conf",
        "[Service]",
        'Environment="OLLAMA_MAX_LOADED_MODELS=1"',
        "systemctl daemon-reload",
        "systemctl restart ollama",
        "",
      ].join("\n"),
    );
  });
});
