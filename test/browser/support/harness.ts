import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { OpenPage } from "./browser.ts";
import { launchBrowser, openPage } from "./browser.ts";
import type { PageServer, Scene } from "./pageServer.ts";
import { startPageServer } from "./pageServer.ts";
import { busySnapshot, emptySnapshot, endedExchange, samplesUntil } from "./scenes.ts";
import { advice, conversations, forecast, loads, openEpisode, pastEpisode } from "./story.ts";

export const desktop = { width: 1280, height: 720 };
export const phone = { width: 360, height: 740 };

export interface Harness {
  /** Serves a scene until the test ends. */
  serve(scene: Scene, options?: { port?: number; token?: string }): Promise<PageServer>;
  /** Opens an address in a new window. */
  open(
    url: string,
    view?: { width: number; height: number },
    colorScheme?: "dark" | "light",
  ): Promise<OpenPage>;
  /** Serves a scene and waits until the page is live. */
  show(
    scene: Scene,
    view?: { width: number; height: number },
    colorScheme?: "dark" | "light",
  ): Promise<OpenPage & { server: PageServer }>;
}

/** One browser for a test file; windows and servers end with each test. */
export function useBrowser(): Harness {
  let browser: Browser;
  const servers: PageServer[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const server of servers.splice(0)) await server.close();
  });
  afterAll(() => browser.close());

  const serve: Harness["serve"] = async (scene, options) => {
    const server = await startPageServer(scene, options);
    servers.push(server);
    return server;
  };
  const open: Harness["open"] = (url, view = desktop, colorScheme = "dark") =>
    openPage(browser, url, { ...view, colorScheme });
  return {
    serve,
    open,
    async show(scene, view, colorScheme) {
      const server = await serve(scene);
      const opened = await open(server.url, view, colorScheme);
      await opened.page.getByText("live", { exact: true }).waitFor();
      return { ...opened, server };
    },
  };
}

/** A chat is being answered, another waits, and 130 are on record. */
export function busyScene(): Scene {
  const now = Date.now();
  const ended = Array.from({ length: 130 }, (_, index) => endedExchange(index, now));
  return {
    snapshot: (at) => ({ ...busySnapshot(at), conversations: conversations(at) }),
    ended,
    samples: samplesUntil(now),
    loads: loads(now),
    answers: {
      "GET /plimsoll/api/advice": () => ({ advice }),
      "GET /plimsoll/api/alerts": () => ({ alerts: [pastEpisode(now)] }),
      "GET /plimsoll/api/conversations/chat-1": () => conversations(now)[0],
    },
  };
}

/** The same, with swap ahead: an open episode and a forecast. */
export function warnedScene(): Scene {
  const busy = busyScene();
  return {
    ...busy,
    snapshot: (at) => ({ ...busy.snapshot(at), episodes: [openEpisode(at)], forecast: forecast(at) }),
  };
}

/** Nothing has come through yet. */
export function emptyScene(): Scene {
  return { snapshot: emptySnapshot, ended: [], samples: samplesUntil(Date.now()) };
}

export function textOf(page: Page, selector: string): Promise<string> {
  return page.locator(selector).innerText();
}
