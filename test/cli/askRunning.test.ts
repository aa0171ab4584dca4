import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askRunning, plimsollAt } from "../../src/cli/askRunning.ts";
import { cleanUp, onCleanUp } from "../support/startPlimsoll.ts";
import { plimsoll } from "./support/program.ts";

afterAll(cleanUp);

let listen = "";
const asked: { method?: string | undefined; url?: string | undefined; token?: string; body: string }[] = [];

beforeAll(async () => {
  const server = http.createServer((request, response) => {
    const { method, url, headers } = request;
    void text(request).then((body) => {
      asked.push({ method, url, body, ...(headers.authorization && { token: headers.authorization }) });
      if (headers.authorization === "Bearer wrong-token") response.statusCode = 401;
      else if (url?.endsWith("/busy")) response.statusCode = 409;
      else if (url?.endsWith("/nothing")) response.writeHead(404).end("404 page not found");
      if (response.writableEnded) return;
      response.end(
        url?.endsWith("/prose")
          ? "neither this nor that"
          : JSON.stringify(
              response.statusCode < 400 ? { fine: true } : { error: { code: "x", message: "Not now." } },
            ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  onCleanUp(() => new Promise((resolve) => server.close(resolve)));
});

describe("asking the running Plimsoll", () => {
  it("reads, with its token, or posts a question", async () => {
    expect(await askRunning({ listen, token: null }, "status")).toEqual({
      status: 200,
      body: { fine: true },
    });
    expect(asked.at(-1)).toEqual({ method: "GET", url: "/plimsoll/api/status", body: "" });
    await askRunning({ listen, token: "12345678" }, "forget", { all: true });
    expect(asked.at(-1)).toEqual({
      method: "POST",
      url: "/plimsoll/api/forget",
      token: "Bearer 12345678",
      body: '{"all":true}',
    });
  });

  it("tells why it was refused, in the words of the answer", async () => {
    expect(await askRunning({ listen, token: null }, "busy")).toMatchObject({
      status: 409,
      refusal: "Not now.",
    });
    expect(await askRunning({ listen, token: null }, "nothing")).toMatchObject({
      status: 404,
      refusal: expect.stringMatching(/^what answers at .* is no Plimsoll \(404\); .* --listen\.$/),
    });
    expect(await askRunning({ listen, token: null }, "prose")).toEqual({ status: 200, body: undefined });
  });

  it("is undefined where nobody listens, and where somebody else does that is no Plimsoll", async () => {
    expect(await askRunning({ listen: "127.0.0.1:1", token: null }, "status")).toBeUndefined();
    expect(await plimsollAt(`http://${listen}`)).toBeUndefined();
  });

  it.each([["accuracy"], ["alert --test"]])("%s says that the token is missing or wrong", async (words) => {
    const args = [...words.split(" "), "--listen", listen];
    const { err, code } = await plimsoll(args, { PLIMSOLL_TOKEN: "wrong-token" }).ended;
    expect([code, err]).toEqual([1, expect.stringContaining("wants its token: set --token")]);
  });
});
