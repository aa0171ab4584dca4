import { BlockList, isIP } from "node:net";

/** Loopback and private, by Go's `netip`, which sees through IPv4-mapped IPv6 addresses. */
const OWN_NETWORKS = new BlockList();
OWN_NETWORKS.addSubnet("127.0.0.0", 8, "ipv4");
OWN_NETWORKS.addSubnet("10.0.0.0", 8, "ipv4");
OWN_NETWORKS.addSubnet("172.16.0.0", 12, "ipv4");
OWN_NETWORKS.addSubnet("192.168.0.0", 16, "ipv4");
OWN_NETWORKS.addAddress("::1", "ipv6");
OWN_NETWORKS.addSubnet("fc00::", 7, "ipv6");

const LOCAL_SUFFIXES = [".localhost", ".local", ".internal"];

/**
 * Whether Ollama, listening on a loopback address, would serve a request with this `Host` header (its
 * `allowedHostsMiddleware`). Refusing the rest is its defence against web pages that reach it by DNS rebinding; a proxy
 * that rewrites `Host` must apply the same rule first. An absent header counts as an empty one, which HTTP/1.0 may
 * send; `localAddresses` are the addresses of the machine's interfaces.
 */
export function hostIsAllowedByOllama(
  hostHeader: string | undefined,
  { hostname, localAddresses }: { hostname: string; localAddresses: readonly string[] },
): boolean {
  const host = withoutPort(hostHeader ?? "");
  if (isIP(host) !== 0 && isOwnAddress(host, localAddresses)) {
    return true;
  }
  const name = host.toLowerCase();
  return (
    name === "" ||
    name === "localhost" ||
    name === hostname.toLowerCase() ||
    LOCAL_SUFFIXES.some((suffix) => name.endsWith(suffix))
  );
}

/**
 * The host of `host:port`, `[v6]:port`, or the whole text if it is neither, by the rules of Go's `net.SplitHostPort`:
 * the port may be empty or a word, `::1` is a bare address, and `[::1]` without a port keeps its brackets (so it is no
 * address, and Ollama refuses it).
 */
function withoutPort(text: string): string {
  const bracketed = /^\[([^[\]]*)\]:[^:[\]]*$/.exec(text);
  const plain = /^([^:[\]]*):[^:[\]]*$/.exec(text);
  return bracketed?.[1] ?? plain?.[1] ?? text;
}

function isOwnAddress(host: string, localAddresses: readonly string[]): boolean {
  const [address = "", zone] = host.split("%");
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  if (OWN_NETWORKS.check(address, family)) {
    return true;
  }
  const key = canonical(address);
  if (zone !== undefined || key === undefined) {
    return false;
  }
  return key === "0.0.0.0" || key === "[::]" || localAddresses.some((own) => canonical(own) === key);
}

/** One spelling for each address. Interfaces name a zone with their link-local addresses; Go's comparison has none. */
function canonical(address: string): string | undefined {
  const bare = address.split("%")[0] ?? "";
  const family = isIP(bare);
  if (family === 0) {
    return undefined;
  }
  return family === 4 ? bare : new URL(`http://[${bare}]`).hostname;
}
