/** The plainest HTTP client: what it is told to send, and the whole answer back. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";

interface ClientRequest {
  path: string;
  /** POST with a body, GET without. */
  body?: unknown;
  headers: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

interface ClientAnswer {
  status: number;
  text: string;
}

export interface HttpClient {
  /** Rejects when the connection fails or the signal fires; then the connection is closed at once. */
  send(request: ClientRequest): Promise<ClientAnswer>;
  close(): void;
}

export function createHttpClient(baseUrl: string): HttpClient {
  const agent = new Agent({ keepAlive: true });
  return {
    send: async ({ path, body, headers, signal }) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const length =
        payload === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(payload)) };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const outgoing = httpRequest(
          new URL(path, baseUrl),
          {
            agent,
            signal,
            method: payload === undefined ? "GET" : "POST",
            headers: { ...headers, ...length },
          },
          resolve,
        );
        outgoing.on("error", reject);
        outgoing.end(payload);
      });
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
    },
    close: () => agent.destroy(),
  };
}
