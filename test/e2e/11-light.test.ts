/** Promise 11. Light: the figures are measured by `npm run bench`; here the cheap part is kept from growing unseen. */
import { afterEach, expect, it } from "vitest";
import { createMemorySource } from "../../src/memory/source.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

it.runIf(process.platform === "linux")("samples on Linux without a single child process", async () => {
  const upstream = await startRawUpstream(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
  const clocks = { now: () => Date.now(), monotonic: () => performance.now() };
  const { app } = await startBehind(upstream, {
    settings: { sampling: { intervalMs: 250 } },
    parts: {
      memorySource: () => createMemorySource({ platform: "linux", upstreamIsLocal: true, ...clocks }),
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(app.snapshot().sample?.totalBytes).toBeGreaterThan(0);
  expect(process.getActiveResourcesInfo()).not.toContain("ProcessWrap");
});
