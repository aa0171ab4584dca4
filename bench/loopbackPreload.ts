/** Makes every server of a process listen on loopback. For a gateway that listens on all interfaces and cannot be told otherwise. */
import { Server } from "node:net";

// eslint-disable-next-line typescript/unbound-method -- called with its own receiver below
const listen = Server.prototype.listen as (this: Server, ...values: unknown[]) => Server;

Server.prototype.listen = function listenOnLoopback(this: Server, ...values: unknown[]): Server {
  const [first, ...rest] = values;
  if (typeof first === "object" && first !== null) {
    return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  }
  return listen.call(this, first, "127.0.0.1", ...rest.filter((value) => typeof value === "function"));
};
