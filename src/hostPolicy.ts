/** Which `Host` a request may carry: Ollama's own rule on a loopback listener, a list of names on a wider one. */
import { hostIsAllowedByOllama } from "./ollama/hostCheck.ts";
import type { HostPolicy } from "./proxy/admission.ts";

export function createHostPolicy(parts: {
  loopback: boolean;
  allowedHosts: readonly string[];
  hostname: string;
  localAddresses: () => readonly string[];
}): HostPolicy {
  if (parts.loopback) {
    return (host) =>
      hostIsAllowedByOllama(host, { hostname: parts.hostname, localAddresses: parts.localAddresses() });
  }
  const allowed = new Set(parts.allowedHosts.map((host) => host.toLowerCase()));
  return (host) => host !== undefined && allowed.has(withoutPort(host).toLowerCase());
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}
