/** `POST /plimsoll/api/alerts/test`: a test message to one channel or to all. `POST /plimsoll/api/drill`: a drill. */
import type { Hono } from "hono";
import { bodyText } from "./bodyText.ts";
import type { DashboardParts } from "./parts.ts";
import { problemResponse, type Problem } from "./problem.ts";

const MOST_BODY_BYTES = 4096;
const USUAL_SPEED = 10;

export function addAlertsApi(
  app: Hono,
  { alertTests, startDrill }: Pick<DashboardParts, "alertTests" | "startDrill">,
): void {
  app.post("/plimsoll/api/drill", async (c) => {
    const speed = readSpeed(await bodyText(c, MOST_BODY_BYTES));
    if (speed === undefined) {
      return problemResponse(badSpeed);
    }
    const drill = startDrill(speed);
    return drill === false ? problemResponse(drillRuns) : c.json({ drill }, 202);
  });
  app.post("/plimsoll/api/alerts/test", async (c) => {
    const channel = readChannel(await bodyText(c, MOST_BODY_BYTES));
    if (channel === null) {
      return problemResponse(badBody);
    }
    const test = await alertTests.run(channel);
    return test === undefined
      ? problemResponse(noChannel(channel ?? "", alertTests.names()))
      : c.json({ test });
  });
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

/** How much faster than life; nothing said is ten times. */
function readSpeed(body: string): number | undefined {
  if (body.trim() === "") {
    return USUAL_SPEED;
  }
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return undefined;
    }
    const { speed = USUAL_SPEED, ...rest } = value as Record<string, unknown>;
    const good = typeof speed === "number" && speed >= 1 && speed <= 100 && Object.keys(rest).length === 0;
    return good ? speed : undefined;
  } catch {
    return undefined;
  }
}

const badSpeed: Problem = {
  status: 400,
  code: "bad-parameter",
  message: 'Send nothing, or {"speed":<1 to 100>}: how much faster than life the drill is played.',
};

const drillRuns: Problem = {
  status: 409,
  code: "drill-runs",
  message: "A drill is being played; wait for its end.",
};

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
