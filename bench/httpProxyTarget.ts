/** The process of the `http-proxy` target: `httpProxyTarget.ts FOLDER PORT UPSTREAM_PORT`. */
import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

/** What is used of a package that is not installed here. */
interface HttpProxy {
  createProxyServer(options: { target: string; agent: Agent }): {
    web(request: IncomingMessage, response: ServerResponse, options: object, failed: () => void): void;
  };
}

const [folder = "", port, upstreamPort] = process.argv.slice(2);
const { createProxyServer } = createRequire(join(folder, "package.json"))("http-proxy") as HttpProxy;
const proxy = createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true }),
});
createServer({ requestTimeout: 0 }, (request, response) => {
  proxy.web(request, response, {}, () => response.destroy());
}).listen(Number(port), "127.0.0.1");
