/** The requests that the driver sends. The model's name says what to answer, so no target can lose the order. */

export type Dialect = "ollama" | "openai";

export const CHAT_PATHS: Record<Dialect, string> = {
  ollama: "/api/chat",
  openai: "/v1/chat/completions",
};

/** `bench:<chunks>x<milliseconds between them>`; 0 ms sends them as fast as the connection takes them. */
export interface Order {
  chunkCount: number;
  intervalMs: number;
}

export function modelOf({ chunkCount, intervalMs }: Order): string {
  return `bench:${chunkCount}x${intervalMs}`;
}

/** Reads the order and whether to stream from the first bytes of a body, where `chatBody` puts them. */
export function readOrder(bodyStart: string): (Order & { stream: boolean | undefined }) | undefined {
  const match = /"model"\s*:\s*"bench:(\d+)x(\d+)"/.exec(bodyStart);
  const stream = /"stream"\s*:\s*(true|false)/.exec(bodyStart)?.[1];
  return match === null
    ? undefined
    : {
        chunkCount: Number(match[1]),
        intervalMs: Number(match[2]),
        stream: stream === undefined ? undefined : stream === "true",
      };
}

/** A chat with one image of about `imageBytes` in base64, as vision clients send it; without one if it is 0. */
export function chatBody(dialect: Dialect, order: Order & { stream: boolean; imageBytes: number }): Buffer {
  const start = `{"model":"${modelOf(order)}","stream":${order.stream},"messages":[{"role":"user","content":`;
  const image = order.imageBytes === 0 ? "" : base64Noise(order.imageBytes);
  if (image === "") {
    return Buffer.from(`${start}"What does a Plimsoll line show?"}]}`);
  }
  return Buffer.from(
    dialect === "ollama"
      ? `${start}"What is this?","images":["${image}"]}]}`
      : `${start}[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,${image}"}}]}]}`,
  );
}

/** Head of a request to a target on this port. */
export function requestHead(parts: {
  method?: string;
  path: string;
  port: number;
  fields: readonly string[];
}): Buffer {
  const lines = [
    `${parts.method ?? "POST"} ${parts.path} HTTP/1.1`,
    `Host: 127.0.0.1:${parts.port}`,
    "User-Agent: plimsoll-bench",
    "Content-Type: application/json",
    ...parts.fields,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** The same bytes in every run, with the look of a compressed picture. */
function base64Noise(lengthBytes: number): string {
  const noise = Buffer.alloc(3 * 256);
  for (let index = 0; index < noise.length; index += 1) {
    noise[index] = (index * 167 + (index >> 3) * 29) & 0xff;
  }
  const pattern = noise.toString("base64");
  return pattern.repeat(Math.ceil(lengthBytes / pattern.length)).slice(0, lengthBytes & ~3);
}
