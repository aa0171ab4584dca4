/** Who listens where Plimsoll would, and who answers where Ollama should. */
import net from "node:net";
import { isLoopback, parseListen } from "../../config.ts";
import { createOllamaClient, OllamaError } from "../../ollama/client.ts";
import { ownUrl } from "../address.ts";
import { plimsollAt } from "../askRunning.ts";
import type { Check } from "./check.ts";

const TIMEOUT_MS = 3000;
const OLLAMAS_PLACE = "http://127.0.0.1:11434";

/** `undefined` when the address is free, else the system's code. */
function whyNotListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

export async function checkPort(listen: string, hasToken: boolean): Promise<Check> {
  const { host, port } = parseListen(listen) ?? { host: "127.0.0.1", port: 11435 };
  const id = "port";
  const open = isLoopback(host)
    ? []
    : [
        `${listen} can be reached from the network: forwarded paths are open there, without a token`,
        ...(hasToken ? [] : ["/plimsoll needs a token: set --token or PLIMSOLL_TOKEN"]),
      ];
  const code = await whyNotListen(host, port);
  if (code === undefined) {
    const state = open.length === 0 ? "good" : hasToken ? "note" : "failed";
    return { id, state, text: `${listen} is free`, ...(open.length > 0 && { advice: open }) };
  }
  if (code !== "EADDRINUSE") {
    return {
      id,
      state: "failed",
      text: `${listen} cannot be used (${code})`,
      advice: ["choose another with --listen HOST:PORT"],
    };
  }
  const running = await plimsollAt(ownUrl(listen));
  if (running !== undefined) {
    const { upstream, recorder, sampler, channels = [] } = running;
    const failing = channels.filter(({ state }) => state === "failing");
    const problems = [
      upstream.reachable ? undefined : (upstream.problem ?? `Ollama does not answer at ${upstream.url}`),
      recorder.problem,
      ...sampler.problems,
      ...failing.map(
        ({ channel, problem = "no reason given" }) => `alerts do not reach ${channel}: ${problem}`,
      ),
    ].filter((problem) => problem !== undefined);
    return {
      id,
      state: running.status === "ok" ? "good" : "warning",
      text: `Plimsoll ${running.version} is running at ${ownUrl(listen)}${running.status === "ok" ? "" : ", but not all of it works"}`,
      ...(problems.length + open.length > 0 && { advice: [...problems, ...open] }),
    };
  }
  const version = await versionAt(ownUrl(listen));
  // The set-up without a changed client: doctor is asked where both are by default, and they are elsewhere.
  if (version !== undefined && (await plimsollAt(OLLAMAS_PLACE)) !== undefined) {
    return {
      id,
      state: "good",
      text: `Ollama ${version} was moved to ${listen}; Plimsoll is running in its place, at ${OLLAMAS_PLACE}`,
      advice: [
        `to check that one: plimsoll doctor --listen ${new URL(OLLAMAS_PLACE).host} --upstream ${ownUrl(listen)}`,
      ],
    };
  }
  return {
    id,
    state: "failed",
    text: `${listen} is taken by ${version === undefined ? "another program" : `Ollama ${version} itself`}`,
    advice: [
      version === undefined
        ? "choose another with --listen HOST:PORT, or end that program"
        : "move Ollama to another port first (see below), or choose another with --listen HOST:PORT",
    ],
  };
}

async function versionAt(url: string): Promise<string | undefined> {
  return createOllamaClient({ url, timeoutMs: TIMEOUT_MS })
    .version()
    .catch(() => undefined);
}

/** Ports where an Ollama that was moved is usually found. */
const USUAL_PORTS = [11434, 11435, 11436];

/** Asks the configured one, then looks where it might be instead. */
export async function checkUpstream(
  upstream: string,
  listen: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ check: Check; version?: string }> {
  const id = "upstream";
  if (await sameListener(upstream, listen)) {
    const text = `${upstream} is where Plimsoll itself listens: every request would go round for ever`;
    return { check: { id, state: "failed", text, advice: ["point --upstream at Ollama"] } };
  }
  try {
    const version = await createOllamaClient({ url: upstream, timeoutMs: TIMEOUT_MS }).version();
    return { version, check: { id, state: "good", text: `Ollama ${version} answers at ${upstream}` } };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof OllamaError && (error.problem === "not-ollama" || error.problem === "refused")) {
      return {
        check: { id, state: "failed", text, advice: ["name Ollama's own address with --upstream URL"] },
      };
    }
    const found = await findOllama([upstream, ownUrl(listen)], environment);
    const advice = [
      ...found.map((url) => `an Ollama answers at ${url}: --upstream ${url}`),
      ...(found.length === 0
        ? ["start it: ollama serve (or its app); Plimsoll starts without it and waits"]
        : []),
    ];
    return { check: { id, state: "failed", text, advice } };
  }
}

async function sameListener(upstream: string, listen: string): Promise<boolean> {
  const own = parseListen(listen);
  const { hostname, port } = new URL(upstream);
  const host = hostname.replace(/^\[|\]$/g, "");
  return (
    own !== undefined &&
    Number(port === "" ? 80 : port) === own.port &&
    isLoopback(host) &&
    (isLoopback(own.host) || own.host === "0.0.0.0" || own.host === "::")
  );
}

async function findOllama(except: readonly string[], environment: NodeJS.ProcessEnv): Promise<string[]> {
  const hint = environment["OLLAMA_HOST"];
  const candidates = [
    ...USUAL_PORTS.map((port) => `http://127.0.0.1:${port}`),
    ...(hint === undefined || parseListen(hint) === undefined ? [] : [ownUrl(hint)]),
  ].filter((url) => !except.includes(url));
  const answers = await Promise.all(
    [...new Set(candidates)].map(async (url) => {
      const isOllama = (await plimsollAt(url)) === undefined && (await versionAt(url)) !== undefined;
      return isOllama ? [url] : [];
    }),
  );
  return answers.flat();
}
