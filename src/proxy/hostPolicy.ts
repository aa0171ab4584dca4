/** Which `Host` a request may carry: Ollama's own rule on a loopback listener, a list of names on a wider one. */
import os from "node:os";
import { hostIsAllowedByOllama } from "../ollama/hostCheck.ts";
import type { HostPolicy } from "./admission.ts";

export function createHostPolicy(parts: {
  loopback: boolean;
  allowedHosts: readonly string[];
  hostname: string;
  localAddresses: () => readonly string[];
}): HostPolicy {
  if (parts.loopback) {
    return rememberingYes((host) =>
      hostIsAllowedByOllama(host, { hostname: parts.hostname, localAddresses: parts.localAddresses() }),
    );
  }
  const allowed = new Set(parts.allowedHosts.map((host) => host.toLowerCase()));
  return (host) => host !== undefined && allowed.has(withoutPort(host).toLowerCase());
}

/** Names that were allowed once, so that clients which ask a hundred times a second are judged once. */
const MOST_REMEMBERED = 64;

/** An address that the machine loses stays allowed until the next start: it was never anybody else's name. */
function rememberingYes(isAllowed: HostPolicy): HostPolicy {
  const allowed = new Set<string | undefined>();
  return (host) => {
    if (allowed.has(host)) {
      return true;
    }
    const yes = isAllowed(host);
    if (yes && allowed.size < MOST_REMEMBERED) {
      allowed.add(host);
    }
    return yes;
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

const LOCAL_ADDRESSES_MS = 10_000;

/** Asking the system takes longer than a whole request; addresses change rarely. */
export function createLocalAddresses(monotonic: () => number): () => readonly string[] {
  let addresses: readonly string[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (monotonic() - askedAt >= LOCAL_ADDRESSES_MS) {
      askedAt = monotonic();
      addresses = Object.values(os.networkInterfaces()).flatMap((list) =>
        (list ?? []).map((entry) => entry.address),
      );
    }
    return addresses;
  };
}
