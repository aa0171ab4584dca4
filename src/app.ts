/** All stages meet here, in order. The drawing is in ARCHITECTURE.md. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import os from "node:os";
import { getRequestListener } from "@hono/node-server";
import { createAlertChannels } from "./alertChannels.ts";
import { STALE_MS } from "./alerts/detector.ts";
import { createClose } from "./appClose.ts";
import { createAppGuard } from "./appGuard.ts";
import { publisher, recorder } from "./appObservers.ts";
import type { App, AppParts } from "./appParts.ts";
import { createReads } from "./appReads.ts";
import { createChats } from "./chats/chats.ts";
import { keepConversations } from "./chats/keepConversations.ts";
import { recallSalt } from "./chats/salt.ts";
import { createAdvisor } from "./advice/advisor.ts";
import { isLoopback, parseListen } from "./config.ts";
import { createAccess } from "./dashboard/access.ts";
import { createLive, livePath } from "./dashboard/live.ts";
import { createMetrics } from "./dashboard/metrics.ts";
import { createDashboard } from "./dashboard/routes.ts";
import { loadPage } from "./dashboard/static.ts";
import { healthOf, reportUpstream } from "./health.ts";
import { createIds } from "./ids.ts";
import { createMemoryWarning } from "./memoryWarning.ts";
import { createSampler } from "./memory/sampler.ts";
import { canonicalName, sameModel } from "./models/names.ts";
import { createPoller } from "./models/poller.ts";
import { createModelWatch } from "./models/watch.ts";
import { createBodyReader } from "./ollama/bodyReader.ts";
import { createOllamaClient } from "./ollama/client.ts";
import { createRemedies } from "./predict/remedies.ts";
import { recallKnowledge } from "./predictions/keep.ts";
import { createPredictions } from "./predictions/predictions.ts";
import { createExchanges } from "./proxy/exchange.ts";
import { createHandler } from "./proxy/handler.ts";
import { createHostPolicy, createLocalAddresses } from "./proxy/hostPolicy.ts";
import { createProxyServer } from "./proxy/server.ts";
import { createUpstream, upstreamAddress } from "./proxy/upstream.ts";
import { INSTANCE_HEADER, upstreamIsOurselves } from "./selfProbe.ts";
import { createSnapshot } from "./snapshot.ts";
import { createHeldSamples } from "./store/heldSamples.ts";
import type { Exchange, Health, Machine } from "./types.ts";

/** While a model loads, memory is read this often for this long. */
const HURRY = { intervalMs: 250, forMs: 10_000, atMostEveryMs: 500 };
const SHOWN_CONVERSATIONS = 20;

export async function createApp(parts: AppParts): Promise<App> {
  const { config, store, now, monotonic, log } = parts;
  const { host, port } = parseListen(config.listen) ?? { host: "127.0.0.1", port: 11435 };
  const loopback = isLoopback(host);
  const instanceId = randomBytes(12).toString("hex");
  const newId = createIds(now, instanceId);

  const upstream = createUpstream(upstreamAddress(config.upstream));
  const client = createOllamaClient({ url: config.upstream });
  const memorySource = parts.memorySource?.({ weightsInUse: (runner) => models.weightsInUse(runner) });
  const sampler =
    memorySource === undefined
      ? undefined
      : createSampler({
          source: memorySource,
          intervalMs: config.sampling.intervalMs,
          monotonic,
          cpuTimeMs: parts.cpuTimeMs,
          log,
        });

  let hurriedAt = Number.NEGATIVE_INFINITY;
  const hurry = (): void => {
    // A burst of requests for a model that is not loaded is one reason to look, not many.
    if (monotonic() - hurriedAt >= HURRY.atMostEveryMs) {
      hurriedAt = monotonic();
      sampler?.hurry(HURRY.intervalMs, HURRY.forMs);
      poller.hurry();
    }
  };
  /** An exchange that has ended has learned something since. */
  const amended = (exchange: Exchange): void => {
    conversations.putRight(exchange);
    store.saveExchange(exchange);
    live.publishExchange(exchange);
  };
  const models = createModelWatch({
    client,
    now,
    newId,
    live: () => exchanges.live(),
    saveLoad: (load) => {
      predictions.loadChanged(load);
      warning.loadChanged(load);
      store.saveLoad(load);
      live.publishLoad(load);
    },
    stageChanged: (exchange) => live.publishExchange(exchange),
    completed: (exchange) => {
      chats.watch.amended(exchange);
      amended(exchange);
    },
    hurry,
    reloadWords: () => ({
      remedies: createRemedies({ ollamaVersion: poller.health().version }),
      figures: (model, contextLength) => predictions.change(model, { contextLength }),
    }),
  });
  const poller = createPoller({
    client,
    url: upstream.address.url,
    isBusy: () => exchanges.live().some((exchange) => exchange.operation !== "other"),
    monotonic,
    onModels: (listed) => {
      models.modelsSeen(listed);
      predictions.modelsSeen(models.loadedModels());
      guard.modelsSeen(models.loadedModels());
      const inUse = listed.some((model) => (model.deviceBytes ?? 0) > 0);
      memorySource?.setDeviceInUse(inUse);
      live.refresh();
    },
    onHealth: (health) => {
      reportUpstream(log, health);
      if (!health.reachable) {
        models.upstreamLost();
      }
      live.refresh();
    },
  });

  const channels = createAlertChannels({ config, programs: parts.programs, now, log });
  let machine: Machine | undefined;
  const health = (): Health =>
    healthOf({
      version: parts.version,
      upstream: poller.health(),
      recorder: store.health(),
      sampler: sampler?.health() ?? { state: "off", problems: ["memory is not read"] },
      channels: channels.health(),
    });
  const latestSample = () => {
    const sample = sampler?.latest();
    return sample !== undefined && now() - sample.takenAt <= STALE_MS ? sample : undefined;
  };
  const salt = await recallSalt({ store, log });
  const knowledge = await recallKnowledge({ store, machine: os.hostname(), now, log });
  const predictions = createPredictions({
    client,
    knowledge,
    now,
    monotonic,
    log,
    live: () => exchanges.live(),
    loadedModels: models.loadedModels,
    ollamaVersion: () => poller.health().version,
    serverEnvironment: () => memorySource?.serverEnvironment?.(),
    sample: latestSample,
    machine: () => machine,
    canonicalName,
  });
  const guard = createAppGuard({
    settings: config.guard,
    upstreamIsLocal: isLoopback(upstream.address.host),
    client,
    ask: predictions.ask,
    sample: latestSample,
    loadedModels: models.loadedModels,
    live: () => exchanges.live(),
    ollamaVersion: () => poller.health().version,
    noticed: (exchange) => live.publishExchange(exchange),
    now,
    log,
  });
  const loadedModels = () =>
    predictions.withEstimates(models.loadedModels()).map((model) => {
      const growth = chats.watch.growth(model);
      return growth === undefined ? model : { ...model, growth };
    });
  const { snapshot, verdict } = createSnapshot({
    now,
    version: parts.version,
    simulated: parts.simulated,
    machine: () => machine,
    sample: latestSample,
    models: loadedModels,
    live: () => exchanges.live(),
    conversations: () => conversations.book.latest(SHOWN_CONVERSATIONS),
    warning: () => warning,
    health,
  });

  const held = createHeldSamples(store.saveSample);
  let shown = "";
  /** What has no message of its own reaches the pages with a new snapshot. */
  const refreshOnChange = (): void => {
    const { level, state } = verdict();
    const next = JSON.stringify([level, state, health()]);
    if (next !== shown) {
      shown = next;
      live.refresh();
    }
  };

  const access = createAccess({ tokenRequired: !loopback, token: config.token ?? undefined, now });
  const live = createLive({ access, snapshot, monotonic, log });
  const metrics = createMetrics({
    version: parts.version,
    snapshot,
    recorder: () => store.health(),
    predictionErrors: predictions.errors,
    observerFailures: () => Object.fromEntries(exchanges.observerFailures()),
    reloads: models.reloads,
  });

  const chats = createChats({
    newId,
    moved: (move) => conversations.moved(move),
    live: () => exchanges.live(),
    ...predictions.chatModels,
    larger: (model, contextLength) => predictions.change(model, { contextLength }),
    ollamaVersion: () => poller.health().version,
    headroomBytes: () => latestSample()?.headroomBytes,
    remedies: () => createRemedies({ ollamaVersion: poller.health().version }),
    kept: (id) => conversations.book.find(id),
    onRecord: store.exchange,
    changed: (conversation) => conversations.book.changed(conversation),
    completed: amended,
  });
  const isBusy = (model: string): boolean =>
    exchanges.live().some((exchange) => exchange.model !== undefined && sameModel(exchange.model, model));
  const conversations = keepConversations({
    store,
    identify: chats.identify,
    publish: live.publishConversation,
    removed: (id) => live.publishRemoved("conversation", id),
    forgetFigures: chats.watch.forget,
    log,
  });
  await conversations.recall();
  const warning = createMemoryWarning({
    store,
    now,
    monotonic,
    newId,
    log,
    ask: predictions.ask,
    willLoad: models.willLoad,
    models: loadedModels,
    live: () => exchanges.live(),
    ollamaVersion: () => poller.health().version,
    memoryIsVisible: () => latestSample()?.headroomBytes !== undefined,
    swapIsCompressed: () => memorySource?.swapIsCompressed?.() === true,
    unifiedMemory: () => machine?.architecture === "arm64" && machine.osName.startsWith("macOS"),
    publish: live.publishAlert,
    tell: channels.episodeChanged,
  });

  // Whoever is told of exchanges, in this order: what they learn first, then who keeps, counts and shows it.
  const exchanges = createExchanges({
    observers: [
      models.observer,
      chats.observer,
      predictions.observer,
      warning.observer,
      chats.judge,
      ...guard.observers,
      conversations.observer,
      recorder(store),
      metrics.observer,
      publisher(live.publishExchange),
    ],
    monotonic,
    log,
  });

  const advisor = createAdvisor({
    now,
    monotonic,
    habits: (query) => store.habits(query),
    conversations: async () => snapshot().conversations ?? [],
    loaded: loadedModels,
    memory: () => ({
      headroomBytes: latestSample()?.headroomBytes,
      totalBytes: latestSample()?.totalBytes,
    }),
    remedies: () => createRemedies({ ollamaVersion: poller.health().version }),
    change: predictions.change,
    canonicalName,
  });
  const dashboard = createDashboard({
    access,
    page: loadPage(parts.pageDirectory ?? ""),
    log,
    now,
    snapshot,
    health,
    probe: async () => {
      const version = await client.version().catch(() => undefined);
      const known = health();
      return { ...known, upstream: { ...known.upstream, reachable: version !== undefined, version } };
    },
    ...createReads({
      store,
      live: exchanges.live,
      explained: predictions.explained,
      knownConversation: conversations.book.find,
      episodes: warning.list,
      forgotten: (what) => {
        conversations.forget(what);
        live.refresh();
      },
    }),
    cancelExchange: exchanges.cancel,
    listModels: loadedModels,
    listAdvice: advisor.list,
    metrics: metrics.read,
    startDrill: warning.drill.start,
    alertTests: { run: channels.test, names: channels.names },
    predictions: {
      predict: predictions.ask.predict,
      predictTable: predictions.ask.table,
      accuracy: () => ({ ...predictions.accuracy(), forecast: warning.scores() }),
      resetCalibration: predictions.reset,
    },
  });
  const answerOwn = getRequestListener(dashboard.fetch, { overrideGlobalObjects: false });

  const bodies = createBodyReader({ salt });
  const hostIsAllowed = createHostPolicy({
    loopback,
    allowedHosts: config.allowedHosts,
    hostname: os.hostname(),
    localAddresses: createLocalAddresses(monotonic),
  });
  const handler = createHandler({
    upstream,
    exchanges,
    bodies,
    guard: guard.guard,
    hostIsAllowed,
    own: (incoming: IncomingMessage, outgoing: ServerResponse) => {
      outgoing.setHeader(INSTANCE_HEADER, instanceId);
      void answerOwn(incoming, outgoing);
    },
    now,
    newId,
    salt,
    log,
  });
  const server = createProxyServer({ handler, livePath, hostIsAllowed, upgrade: live.handleUpgrade });

  const close = createClose({
    server,
    exchanges,
    monotonic,
    letGo: async () => {
      await knowledge.close();
      warning.close();
      held.release();
      live.close();
      channels.close();
      poller.stop();
      await sampler?.stop();
      await bodies.close();
    },
  });

  return {
    server,
    async listen() {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
      if (await upstreamIsOurselves(upstream.address.url, instanceId)) {
        return { upstreamIsOurselves: true };
      }
      poller.start();
      channels.start();
      void warning.start();
      void parts.readMachine?.().then((read) => (machine = read));
      sampler?.start((sample) => {
        models.sampled(sample, sampler.runners());
        chats.watch.sampled(models.loadedModels(), isBusy, sample.takenAt);
        live.publishSample(sample, warning.sampled(sample));
        refreshOnChange();
        held.save(sample, warning.swapsNow(), monotonic());
      });
      return { upstreamIsOurselves: false };
    },
    snapshot,
    close,
  };
}
