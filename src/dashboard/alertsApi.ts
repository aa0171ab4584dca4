/** `POST /plimsoll/api/alerts/test`: a test message to one channel or to all. */
import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { DashboardParts } from "./parts.ts";
import { problemResponse, type Problem } from "./problem.ts";

const MOST_BODY_BYTES = 4096;

export function addAlertsApi(app: Hono, { alertTests }: Pick<DashboardParts, "alertTests">): void {
  app.post(
    "/plimsoll/api/alerts/test",
    bodyLimit({ maxSize: MOST_BODY_BYTES, onError: tooLarge }),
    async (c) => {
      const channel = readChannel(await c.req.text());
      if (channel === null) {
        return problemResponse(badBody);
      }
      const test = await alertTests.run(channel);
      return test === undefined
        ? problemResponse(noChannel(channel ?? "", alertTests.names()))
        : c.json({ test });
    },
  );
}

/** Undefined is all channels; null is a body that says nothing sensible. */
function readChannel(body: string): string | null | undefined {
  if (body.trim() === "") {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return null;
    }
    const { channel, ...rest } = value as Record<string, unknown>;
    const good = (channel === undefined || typeof channel === "string") && Object.keys(rest).length === 0;
    return good ? channel : null;
  } catch {
    return null;
  }
}

function tooLarge(): Response {
  return problemResponse({
    status: 413,
    code: "too-large",
    message: `A test is at most ${MOST_BODY_BYTES} bytes.`,
  });
}

const badBody: Problem = {
  status: 400,
  code: "bad-parameter",
  message: 'Send nothing, for all channels, or {"channel":"<name>"}.',
};

function noChannel(name: string, names: readonly string[]): Problem {
  const known =
    names.length === 0 ? "None is set up: see alerts.channels." : `There are ${names.join(", ")}.`;
  return { status: 404, code: "not-found", message: `There is no channel "${name.slice(0, 80)}". ${known}` };
}
