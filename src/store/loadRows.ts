import type { Episode, Load, MemoryEstimate, RunnerSample, RunnerSettings } from "../types.ts";
import type { Row } from "./columns.ts";
import { integer, json, parsed, present, real, text } from "./columns.ts";

/** A row of `loads` as SQLite answers it. */
export interface LoadRow {
  seq: number;
  id: string;
  started_at: number;
  ended_at: number | null;
  unloaded_at: number | null;
  model: string;
  digest: string | null;
  exchange_id: string | null;
  cause: Load["cause"];
  context_length: number | null;
  parallel: number | null;
  claimed_bytes: number | null;
  claimed_device_bytes: number | null;
  differences: string | null;
  settings: string | null;
  predicted: string | null;
  measured: string | null;
  client: string | null;
  previous_client: string | null;
  load_ms: number | null;
  lost_bytes: number | null;
}

/** A load as columns of `loads`, all but `seq`. */
export function loadToRow(load: Load): Row {
  return {
    id: load.id,
    started_at: integer(load.startedAt),
    ended_at: integer(load.endedAt),
    unloaded_at: integer(load.unloadedAt),
    model: text(load.model),
    digest: text(load.digest),
    exchange_id: load.exchangeId,
    cause: load.cause,
    context_length: integer(load.contextLength),
    parallel: integer(load.parallel),
    claimed_bytes: integer(load.claimedBytes),
    claimed_device_bytes: integer(load.claimedDeviceBytes),
    // An empty list says "compared, nothing differs", which is not the same as NULL.
    differences: load.differences === undefined ? undefined : JSON.stringify(load.differences),
    settings: json(load.settings),
    predicted: json(load.predicted),
    measured: json(load.measured),
    client: text(load.client),
    previous_client: text(load.previousClient),
    load_ms: real(load.loadMs),
    lost_bytes: integer(load.lostBytes),
  };
}

/** The load that {@link loadToRow} wrote; absent fields are absent again. */
export function loadFromRow(row: LoadRow): Load {
  return {
    id: row.id,
    startedAt: row.started_at,
    model: row.model,
    cause: row.cause,
    ...present({
      endedAt: row.ended_at,
      unloadedAt: row.unloaded_at,
      digest: row.digest,
      exchangeId: row.exchange_id,
      differences: parsed<NonNullable<Load["differences"]>>(row.differences),
      contextLength: row.context_length,
      parallel: row.parallel,
      settings: parsed<RunnerSettings>(row.settings),
      predicted: parsed<MemoryEstimate>(row.predicted),
      claimedBytes: row.claimed_bytes,
      claimedDeviceBytes: row.claimed_device_bytes,
      measured: parsed<RunnerSample>(row.measured),
      client: row.client,
      previousClient: row.previous_client,
      loadMs: row.load_ms,
      lostBytes: row.lost_bytes,
    }),
  };
}

/** An episode as columns of `episodes`, all but `seq`. The window in columns is what retention asks for. */
export function episodeToRow(episode: Episode): Row {
  return {
    id: episode.id,
    level: episode.level,
    started_at: integer(episode.startedAt),
    ended_at: integer(episode.endedAt),
    json: JSON.stringify(episode),
  };
}
