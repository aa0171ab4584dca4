/** Episodes, messages and a server on the other side of the wire. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { AlertMessage } from "../../../src/alerts/channels/channel.ts";
import { wordAlert, type Surroundings } from "../../../src/alerts/channels/wording.ts";
import type { Episode, Log } from "../../../src/types.ts";
import { onCleanUp } from "../../support/startPlimsoll.ts";

export const NOW = 1_767_225_600_000;
export const SURROUNDINGS: Surroundings = {
  host: "box",
  pageUrl: "http://127.0.0.1:11435/plimsoll/",
  platform: "linux",
};

/** What a client may call its model: quotes, shell, markup, mentions, line ends, terminal codes, turned writing. */
export const HOSTILE =
  "a\"b'c`d$(touch /tmp/plimsoll-was-here)${HOME};|&<b>x</b><!channel>@everyone*_~[l](http://x)\\\r\nX: y\u001b[31m\u0000\u202e\u2028日本🦙";

export function anEpisode(overrides: Partial<Episode> = {}): Episode {
  return {
    id: "episode-1",
    level: "warn",
    startedAt: NOW - 1000,
    text: "Swapping expected in about 50 s.",
    causes: [{ name: "llama3.1:8b prompt cache", bytes: 5 * 2 ** 30 }],
    remedies: [
      {
        id: "prompt-cache",
        text: "Limit the prompt cache.",
        commands: [
          { platform: "macos", text: "launchctl setenv LLAMA_ARG_CACHE_RAM 2048" },
          { platform: "linux", text: "systemctl edit ollama" },
        ],
      },
    ],
    ...overrides,
  };
}

export function aMessage(overrides: Partial<Episode> = {}): AlertMessage {
  return wordAlert(anEpisode(overrides), "raised", { ...SURROUNDINGS, at: NOW });
}

export interface Sink {
  url: string;
  received: { url: string; headers: http.IncomingHttpHeaders; body: string }[];
  /** Connections on which the answer was cut by the other side. */
  cutCount(): number;
}

/** Keeps what is posted; `answer` says what comes back, 200 unless told. */
export async function startSink(
  answer: (response: http.ServerResponse, nth: number) => void = (response) => response.end("ok"),
): Promise<Sink> {
  const received: Sink["received"] = [];
  let cut = 0;
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      received.push({ url: request.url ?? "", headers: request.headers, body });
      answer(response, received.length);
    });
    response.on("close", () => (cut += response.writableFinished ? 0 : 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanUp(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, cutCount: () => cut };
}

export function keepingLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const write = (message: string, fields?: Record<string, unknown>): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  return { lines, debug: write, info: write, warn: write, error: write };
}
