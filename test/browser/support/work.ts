import type { CDPSession, Page } from "playwright-core";

/** Seconds of processor time that the page's main thread has worked, of all kinds of work: waiting for the processor does not count. */
export async function workedSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}

/** Lets `workedSeconds` be asked of a page. */
export async function inspect(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return session;
}

/** Processor time of the longest task, in seconds, that the page's main thread had while `act` ran. */
export async function longestTaskSeconds(page: Page, act: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("the page has no browser to trace");
  await browser.startTracing(page, { categories: ["toplevel"] });
  await act();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid}:${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid, tdur }) => name.endsWith("RunTask") && mains.has(`${pid}:${tid}`) && tdur,
  );
  if (tasks.length === 0) throw new Error("the trace holds no task of the page's main thread");
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1e6;
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of processor time. */
  tdur?: number;
  args?: { name?: string };
}

/** What `fixedWork` takes on the core of a small server with nothing else to do. */
const expectedSeconds = 0.09;

/** A page's work in small: text and numbers, rows made, laid out and painted, ten frames long. */
const fixedWork = `(async () => {
  const list = document.body.appendChild(document.createElement("ul"));
  for (let frame = 0; frame < 10; frame++) {
    list.replaceChildren();
    for (let row = 0; row < 200; row++)
      list.appendChild(document.createElement("li")).textContent = "row " + frame * row;
    Array.from({ length: 20000 }, (_, index) => String(index * frame)).sort();
    await new Promise(requestAnimationFrame);
  }
  list.remove();
})()`;

/**
 * How many times slower this machine works now than the one that the limits are meant for; at least 1. A test that holds a page to a
 * number of milliseconds would else fail where only the machine is slow.
 */
export async function slowness(blank: Page): Promise<number> {
  const session = await inspect(blank);
  const seconds: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = await workedSeconds(session);
    await blank.evaluate(fixedWork);
    seconds.push((await workedSeconds(session)) - before);
  }
  const [, , median = expectedSeconds] = seconds.toSorted((a, b) => a - b);
  return Math.max(1, median / expectedSeconds);
}
