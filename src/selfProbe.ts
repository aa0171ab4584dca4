/** Is the upstream ourselves? Asked, not guessed: names, forwarded ports and containers can hide it. */
import http from "node:http";

/** The header on our health answer that names this very process. */
export const INSTANCE_HEADER = "x-plimsoll-instance";

const TIMEOUT_MS = 2000;

/** True only if the upstream's answer carries this instance's id; anything else, or no answer, is false. */
export function upstreamIsOurselves(upstreamUrl: string, instanceId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get(
      `${upstreamUrl}/plimsoll/healthz`,
      { agent: false, timeout: TIMEOUT_MS, headers: { host: "localhost", "user-agent": "plimsoll" } },
      (answer) => {
        answer.destroy();
        resolve(answer.headers[INSTANCE_HEADER] === instanceId);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
