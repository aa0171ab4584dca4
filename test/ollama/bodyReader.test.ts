import { zstdCompressSync } from "node:zlib";
import { writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createBodyReader, type BodyReader, type BodyReaderOptions } from "../../src/ollama/bodyReader.ts";
import type { RequestFacts } from "../../src/types.ts";

const CHAT = { operation: "chat", dialect: "ollama" } as const;
const readers: BodyReader[] = [];

function reader(options?: BodyReaderOptions): BodyReader {
  const created = createBodyReader(options);
  readers.push(created);
  return created;
}

afterEach(async () => {
  for (const created of readers.splice(0)) {
    await created.close();
  }
});

/** A chat with one image of about `imageBytes` characters. */
function pictureBody(imageBytes: number): Buffer {
  return Buffer.from(
    JSON.stringify({ model: "llava", messages: [{ content: "what?", images: ["A".repeat(imageBytes)] }] }),
  );
}

function pushIn(body: Buffer, size: number, push: (chunk: Uint8Array) => unknown): void {
  for (let start = 0; start < body.length; start += size) {
    push(body.subarray(start, start + size));
  }
}

/** Reads a whole body; the promise resolves with what the callback was told, and how often. */
function readAll(from: BodyReader, body: Buffer, context: Parameters<BodyReader["open"]>[0] = CHAT) {
  const told: RequestFacts[] = [];
  const first = Promise.withResolvers<RequestFacts>();
  const open = from.open(context, (facts) => {
    told.push(facts);
    first.resolve(facts);
  });
  pushIn(body, 50_000, open.push);
  open.finish();
  return { told, facts: first.promise, open };
}

describe("a small body", () => {
  it("is told before finish() returns", () => {
    const { told } = readAll(reader(), pictureBody(1000));
    expect(told).toEqual([{ model: "llava", stream: true, messageCount: 1, imageCount: 1, textBytes: 5 }]);
  });

  it("without any bytes is not JSON", () => {
    const { told } = readAll(reader(), Buffer.alloc(0));
    expect(told).toEqual([{ unread: "not-json" }]);
  });

  it("that is abandoned was cut, and is told so once", () => {
    const told: RequestFacts[] = [];
    const open = reader().open(CHAT, (facts) => told.push(facts));
    open.push(Buffer.from('{"model":'));
    open.abandon();
    open.push(Buffer.from('"a"}'));
    open.finish();
    open.abandon();
    expect(told).toEqual([{ unread: "cut" }]);
  });
});

describe("a large body", () => {
  it("is read in the thread and says the same", async () => {
    const { told, facts } = readAll(reader(), pictureBody(3_000_000));
    expect(told).toEqual([]);
    expect(await facts).toEqual({
      model: "llava",
      stream: true,
      messageCount: 1,
      imageCount: 1,
      textBytes: 5,
    });
    expect(told).toHaveLength(1);
  });

  it("takes the memory of its chunks only where nobody else needs them", async () => {
    const body = pictureBody(1_000_000);
    for (const takesChunks of [true, false]) {
      const chunks: Uint8Array[] = [];
      pushIn(body, 65_536, (chunk) => chunks.push(Uint8Array.from(chunk)));
      const facts = await new Promise<RequestFacts>((resolve) => {
        const open = reader().open({ ...CHAT, takesChunks }, resolve);
        chunks.forEach((chunk) => open.push(chunk));
        open.finish();
      });
      expect(facts.model).toBe("llava");
      expect(chunks.some((chunk) => chunk.length === 0)).toBe(takesChunks);
    }
  });

  it("moves to the thread part by part, as soon as nobody else needs what has come", async () => {
    const body = pictureBody(5_000_000);
    const chunks: Uint8Array[] = [];
    pushIn(body, 65_536, (chunk) => chunks.push(Uint8Array.from(chunk)));
    const kept = new Set<Uint8Array>();
    let mostKeptBytes = 0;
    const facts = await new Promise<RequestFacts>((resolve) => {
      const open = reader().open({ ...CHAT, takesChunks: true }, resolve);
      for (const chunk of chunks) {
        if (open.push(chunk)) kept.add(chunk);
        open.settled();
        const keptBytes = [...kept].reduce((sum, { length }) => sum + length, 0);
        mostKeptBytes = Math.max(mostKeptBytes, keptBytes);
      }
      open.finish();
    });
    expect(facts).toMatchObject({ model: "llava", imageCount: 1 });
    expect(mostKeptBytes).toBeLessThan(1_200_000);
  });

  it("that is given up half-way is forgotten by the thread, which goes on with others", async () => {
    const shared = reader();
    const told: RequestFacts[] = [];
    const open = shared.open({ ...CHAT, takesChunks: true }, (facts) => told.push(facts));
    pushIn(pictureBody(3_000_000), 65_536, (chunk) => {
      open.push(Uint8Array.from(chunk));
      open.settled();
    });
    open.abandon();
    open.finish();
    expect(told).toEqual([{ unread: "cut" }]);
    expect((await readAll(shared, pictureBody(300_000)).facts).model).toBe("llava");
    expect(told).toHaveLength(1);
  });

  it("goes together with others, each getting its own answer", async () => {
    const shared = reader();
    const bodies = Array.from({ length: 6 }, (_, index) => {
      const content = "x".repeat(300_000 + index);
      return readAll(shared, Buffer.from(JSON.stringify({ model: `m${index}`, messages: [{ content }] })));
    });
    const answers = await Promise.all(bodies.map(({ facts }) => facts));
    expect(answers.map(({ model, textBytes }) => [model, textBytes])).toEqual(
      bodies.map((_, index) => [`m${index}`, 300_000 + index]),
    );
  });

  it("still gets its answer when it is abandoned after it was finished", async () => {
    const { facts, open } = readAll(reader(), pictureBody(400_000));
    open.abandon();
    expect((await facts).model).toBe("llava");
  });

  it("that is abandoned before was cut", () => {
    const told: RequestFacts[] = [];
    const open = reader().open(CHAT, (facts) => told.push(facts));
    pushIn(pictureBody(400_000), 65_536, open.push);
    open.abandon();
    expect(told).toEqual([{ unread: "cut" }]);
  });

  it("of more than 32 MiB is given up", () => {
    const { told } = readAll(reader(), Buffer.alloc(32 * 1024 * 1024 + 1, " "));
    expect(told).toEqual([{ unread: "too-large" }]);
  });

  it("that announces more than 32 MiB is not held at all", () => {
    const narrow = reader({ heldLimitBytes: 10 });
    const { told } = readAll(narrow, Buffer.alloc(100), { ...CHAT, contentLength: 40 * 1024 * 1024 });
    expect(told).toEqual([{ unread: "too-large" }]);
  });

  it("is read in the thread as well when only unpacking makes it large", async () => {
    const packed = zstdCompressSync(pictureBody(2_000_000));
    const context = { operation: "chat", dialect: "openai", contentEncoding: "zstd" } as const;
    expect(packed.length).toBeLessThan(10_000);
    const { told, facts } = readAll(reader(), packed, context);
    expect(told).toEqual([]);
    expect((await facts).model).toBe("llava");
  });
});

describe("the bound over all bodies", () => {
  it("refuses the body that would pass it, and counts what is given back", () => {
    const narrow = reader({ heldLimitBytes: 1000 });
    const told: RequestFacts[] = [];
    const first = narrow.open(CHAT, (facts) => told.push(facts));
    first.push(Buffer.alloc(900, " "));
    const second = narrow.open(CHAT, (facts) => told.push(facts));
    second.push(Buffer.alloc(200, " "));
    second.finish();
    expect(told).toEqual([{ unread: "busy" }]);
    first.abandon();
    const { told: third } = readAll(narrow, Buffer.from(`{"model":"a"}${" ".repeat(900)}`));
    expect(third[0]?.model).toBe("a");
  });
});

describe("the thread", () => {
  /** A worker of the test's own. */
  function workerUrl(source: string): URL {
    const path = join(mkdtempSync(join(tmpdir(), "plimsoll-worker-")), "worker.mjs");
    writeFileSync(path, source);
    return pathToFileURL(path);
  }

  it("that dies leaves its bodies unread, and the next one gets a new thread", async () => {
    const url = workerUrl(`
      import { parentPort, threadId } from "node:worker_threads";
      parentPort.on("message", ({ id, pieces, context }) => {
        if (pieces.reduce((sum, { length }) => sum + length, 0) > 400_000) throw new Error("died");
        if (context) parentPort.postMessage({ id, facts: { model: "from thread" } });
      });`);
    const dying = reader({ workerUrl: url });
    expect(await readAll(dying, pictureBody(500_000)).facts).toEqual({ unread: "busy" });
    expect(await readAll(dying, pictureBody(300_000)).facts).toEqual({ model: "from thread" });
  });

  it("that dies while a body is still coming is told when the body ends", async () => {
    const url = workerUrl(`
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", () => { throw new Error("died"); });`);
    const told: RequestFacts[] = [];
    const open = reader({ workerUrl: url }).open({ ...CHAT, takesChunks: true }, (facts) => told.push(facts));
    for (let part = 0; part < 30; part += 1) open.push(new Uint8Array(65_536).fill(32));
    open.settled();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(told).toEqual([]);
    open.finish();
    expect(told).toEqual([{ unread: "busy" }]);
  });

  it.each(["file:///nowhere/worker.mjs", "http://localhost/worker.mjs"])(
    "that cannot start costs the facts and nothing else: %s",
    async (url) => {
      const broken = reader({ workerUrl: new URL(url) });
      expect(await readAll(broken, pictureBody(300_000)).facts).toEqual({ unread: "busy" });
    },
  );

  it("ends after a while without work and comes back", async () => {
    const url = workerUrl(`
      import { parentPort, threadId } from "node:worker_threads";
      parentPort.on("message", ({ id, context }) => {
        if (context) parentPort.postMessage({ id, facts: { model: String(threadId) } });
      });`);
    const idle = reader({ workerUrl: url, idleMs: 1 });
    const first = await readAll(idle, pictureBody(300_000)).facts;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await readAll(idle, pictureBody(300_000)).facts;
    expect(second.model).not.toBe(first.model);
  });

  it("answers what is in it as busy when the reader is closed", async () => {
    const closing = reader({ workerUrl: workerUrl("") });
    const { told } = readAll(closing, pictureBody(300_000));
    await closing.close();
    expect(told).toEqual([{ unread: "busy" }]);
  });
});
