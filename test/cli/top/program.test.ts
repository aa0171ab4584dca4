import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { cleanUp, onCleanUp } from "../../support/startPlimsoll.ts";
import { plimsoll } from "../support/program.ts";
import { anExchange, aSnapshot } from "./support.ts";

afterEach(cleanUp);

/** What a running Plimsoll answers, by hand. */
async function aPlimsoll(token?: string): Promise<{ listen: string }> {
  const refused = (headers: NodeJS.Dict<string | string[]>) =>
    token !== undefined && headers["authorization"] !== `Bearer ${token}`;
  const server = createServer((request, response) => {
    if (refused(request.headers)) {
      response.writeHead(401).end("{}");
      return;
    }
    const list = request.url?.includes("samples")
      ? { samples: [] }
      : { exchanges: [anExchange({ model: "recorded:1b" })] };
    response.end(JSON.stringify(list));
  });
  const live = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (refused(request.headers)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    live.handleUpgrade(request, socket, head, (viewer) => {
      const snapshot = JSON.stringify({ type: "snapshot", snapshot: aSnapshot() });
      viewer.send(snapshot);
      // So it comes to a viewer that was slow; one picture stays one.
      viewer.send(snapshot);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanUp(async () => {
    for (const viewer of live.clients) viewer.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { listen: `127.0.0.1:${typeof address === "object" ? address?.port : ""}` };
}

describe("plimsoll top", () => {
  it("prints one picture where the output is no terminal", async () => {
    const { listen } = await aPlimsoll();
    const ended = await plimsoll(["top", "--listen", listen]).ended;
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toMatch(/^Plimsoll {2}idle +10 of 16 GiB used · 5\.5 GiB before swap\n/);
    expect(ended.out.match(/recorded:1b/g)).toHaveLength(1);
    expect(ended.out).not.toContain("\u001B");
  });

  it("prints the snapshot as JSON", async () => {
    const { listen } = await aPlimsoll();
    const ended = await plimsoll(["top", "--json", "--listen", listen]).ended;
    expect(JSON.parse(ended.out)).toEqual(aSnapshot());
  });

  it("says what to do when nobody answers, or a token is wanted", async () => {
    const absent = await plimsoll(["top", "--listen", "127.0.0.1:9"]).ended;
    expect(absent.code).toBe(1);
    expect(absent.err).toBe(
      "plimsoll top: no Plimsoll answers at http://127.0.0.1:9; start it, or name it with --listen.\n",
    );
    const { listen } = await aPlimsoll("a-token-of-good-length-0123456789");
    const without = await plimsoll(["top", "--listen", listen]).ended;
    expect([without.code, without.err]).toEqual([1, expect.stringContaining("wants its token: set --token")]);
    expect(
      (await plimsoll(["top", "--listen", listen, "--token", "a-token-of-good-length-0123456789"]).ended)
        .code,
    ).toBe(0);
  });
});
