import type {
  Conversation,
  Episode,
  Exchange,
  Health,
  Load,
  LoadedModel,
  MemorySample,
  Snapshot,
} from "../src/types.ts";

/** Fills in what an older, newer or half-broken server left out, so that no view has to doubt what the types promise. */

type Loose<T> = Partial<T> | undefined | null;

const healthless: Health = {
  status: "degraded",
  version: "",
  upstream: { url: "", reachable: true },
  recorder: { state: "on", pending: 0, dropped: 0 },
  sampler: { state: "on", problems: [] },
};

export function tidySnapshot(snapshot: Partial<Snapshot>, receivedAt: number): Snapshot {
  const health: Partial<Health> = snapshot.health ?? {};
  return {
    ...snapshot,
    takenAt: snapshot.takenAt ?? receivedAt,
    version: snapshot.version ?? "",
    verdict: { state: "unknown", level: "unknown", text: "", ...snapshot.verdict },
    sample: snapshot.sample && tidySample(snapshot.sample),
    models: list(snapshot.models).map(tidyModel),
    exchanges: tidyAll(snapshot.exchanges, tidyExchange),
    episodes: tidyAll(snapshot.episodes, tidyEpisode),
    conversations: tidyAll(snapshot.conversations, tidyConversation),
    health: {
      ...healthless,
      ...health,
      upstream: { ...healthless.upstream, ...health.upstream },
      recorder: { ...healthless.recorder, ...health.recorder },
      sampler: { ...healthless.sampler, ...health.sampler, problems: list(health.sampler?.problems) },
    },
  };
}

export function tidySample<T extends Partial<MemorySample>>(sample: T): T & MemorySample {
  const { takenAt = 0, gpus, runners, problems } = sample;
  return { ...sample, takenAt, gpus: list(gpus), runners: list(runners), problems: list(problems) };
}

export function tidyExchange(exchange: Loose<Exchange>): Exchange | undefined {
  if (typeof exchange?.id !== "string") return undefined;
  return {
    operation: "chat",
    dialect: "none",
    method: "POST",
    path: "",
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    ...exchange,
    id: exchange.id,
    startedAt: exchange.startedAt ?? 0,
    client: exchange.client ?? {},
    state: exchange.state ?? { phase: "waiting" },
    notices: list(exchange.notices),
  };
}

export function tidyConversation(conversation: Loose<Conversation>): Conversation | undefined {
  if (typeof conversation?.id !== "string") return undefined;
  const { startedAt = 0, lastAt = startedAt, turnCount = 0 } = conversation;
  const turns = conversation.turns && tidyAll(conversation.turns, tidyExchange);
  const { id } = conversation;
  return { ...conversation, id, startedAt, lastAt, turnCount, turns, notices: list(conversation.notices) };
}

export function tidyEpisode(episode: Loose<Episode>): Episode | undefined {
  if (typeof episode?.id !== "string") return undefined;
  const { id, level = "watch", startedAt = 0 } = episode;
  return {
    ...episode,
    id,
    level,
    startedAt,
    causes: list(episode.causes),
    remedies: list(episode.remedies).map((remedy) => ({ ...remedy, commands: list(remedy.commands) })),
  };
}

export function tidyLoad(load: Loose<Load>): Load | undefined {
  if (typeof load?.id !== "string") return undefined;
  const { id, startedAt = 0, model = "", cause = "unknown" } = load;
  return { ...load, id, startedAt, model, cause };
}

/** The entries that make sense, in their order. */
export function tidyAll<T>(entries: unknown, tidy: (entry: Loose<T>) => T | undefined): T[] {
  return list(entries as Loose<T>[]).flatMap((entry) => tidy(entry) ?? []);
}

function tidyModel(model: Partial<LoadedModel>): LoadedModel {
  return { ...model, name: model.name ?? "unnamed" };
}

function list<T>(entries: T[] | undefined | null): T[] {
  return Array.isArray(entries) ? entries : [];
}
