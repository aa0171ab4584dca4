import { once } from "node:events";
import net from "node:net";
import { afterEach, expect, it } from "vitest";
import { createSpare, type Spare } from "../../src/proxy/spare.ts";

const toClose: (() => void)[] = [];

afterEach(() => {
  for (const close of toClose.splice(0)) {
    close();
  }
});

/** A server, and a spare to it with the sockets that each side has seen. */
async function start(): Promise<{
  spare: Spare;
  server: net.Server;
  opened: net.Socket[];
  seen: net.Socket[];
}> {
  const seen: net.Socket[] = [];
  const server = net.createServer((socket) => seen.push(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const opened: net.Socket[] = [];
  const spare = createSpare(() => {
    const socket = net.connect(port, "127.0.0.1");
    opened.push(socket);
    return socket;
  });
  toClose.push(
    () => spare.close(),
    () => opened.forEach((socket) => socket.destroy()),
    () => server.close(),
  );
  return { spare, server, opened, seen };
}

it("has none until one is prepared, and each but once", async () => {
  const { spare, opened } = await start();
  expect(spare.take()).toBeUndefined();
  spare.prepare();
  spare.prepare();
  expect(opened).toHaveLength(1);
  expect(spare.take()).toBe(opened[0]);
  expect(spare.take()).toBeUndefined();
});

it("hands over a connection that works and knows nothing of the spare any more", async () => {
  const { spare, server, seen } = await start();
  spare.prepare();
  await once(server, "connection");
  const socket = spare.take();
  seen[0]?.end("answer");
  expect(String((await once(socket ?? net.connect(0), "data"))[0])).toBe("answer");
  expect(socket?.destroyed).toBe(false);
});

it.each([
  ["closed", (socket: net.Socket) => socket.end()],
  ["reset", (socket: net.Socket) => socket.resetAndDestroy()],
  ["spoken to first", (socket: net.Socket) => socket.write("HTTP/1.1 408 Request Timeout\r\n\r\n")],
])("drops one that is %s", async (_how, act) => {
  const { spare, server, opened, seen } = await start();
  spare.prepare();
  await once(server, "connection");
  const gone = new Promise((resolve) => opened[0]?.once("close", resolve));
  act(seen[0] ?? net.connect(0));
  await gone;
  expect(spare.take()).toBeUndefined();
  spare.prepare();
  expect(spare.take()).toBe(opened[1]);
});

it("drops one that nobody came for, and opens none after its end", async () => {
  const { spare, opened } = await start();
  spare.prepare();
  opened[0]?.setTimeout(1);
  await once(opened[0] ?? net.connect(0), "close");
  expect(spare.take()).toBeUndefined();
  spare.close();
  spare.prepare();
  expect(opened).toHaveLength(1);
});
