/** An Ollama that answers chats and generations with what was recorded, one recording after the other. */
import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { capturedChunks, loadCaptures } from "./captures.ts";

export interface PlayedAnswer {
  status: number;
  contentType: string;
  body: Buffer;
  /** Answered so long after the request. */
  delayMs?: number;
}

export interface PlayedOllama {
  url: string;
  /** What the next inference request is answered with. */
  play(answer: PlayedAnswer): void;
  close(): Promise<void>;
}

export interface PlayedModel {
  name: string;
  contextLength: number;
}

/** `version`: of the recordings, `v0.24` or `v0.33`; the models are described as they were there. */
export async function startPlayedOllama(version: string, model: PlayedModel): Promise<PlayedOllama> {
  const answers: PlayedAnswer[] = [];
  const show = recordedShow(version, model.name);
  const listed = { name: model.name, model: model.name, size: 1, size_vram: 0, digest: "0".repeat(64) };
  const questions: Record<string, () => unknown> = {
    "/api/version": () => ({ version: version === "v0.24" ? "0.24.0" : "0.33.0-rc2" }),
    "/api/ps": () => ({ models: [{ ...listed, context_length: model.contextLength }] }),
    "/api/tags": () => ({ models: [listed] }),
  };
  const server = http.createServer(async (request, response) => {
    request.resume();
    await once(request, "end");
    const json = (value: unknown): void => {
      response
        .writeHead(200, { "content-type": "application/json; charset=utf-8" })
        .end(JSON.stringify(value));
    };
    const known = questions[request.url ?? ""];
    if (known !== undefined) {
      json(known());
    } else if (request.url === "/api/show") {
      json(show ?? {});
    } else {
      const next = answers.shift();
      const { status = 500, contentType = "application/json", body = "{}", delayMs = 0 } = next ?? {};
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      response.writeHead(status, { "content-type": contentType }).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    play: (answer) => answers.push(answer),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function recordedShow(version: string, name: string): unknown {
  const found = loadCaptures().find(({ exchange, ...capture }) => {
    const asked = Buffer.concat(capturedChunks(exchange.request)).toString();
    return capture.version === version && capture.scenario === "04-show" && asked.includes(`"${name}"`);
  });
  return found === undefined
    ? undefined
    : JSON.parse(Buffer.concat(capturedChunks(found.exchange.response)).toString());
}
