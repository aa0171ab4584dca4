/** Reads a record from outside: for replays, while its own instance may be writing on. */
import Database from "better-sqlite3";
import type { MemoryEstimate, MemorySample } from "../types.ts";
import { parsed } from "./columns.ts";
import { type SampleRow, sampleFromRow } from "./sampleRows.ts";

export interface RecordedMemory {
  /** Oldest first; `takenAt` in epoch ms. */
  samples: MemorySample[];
  loads: { model: string; startedAt: number; endedAt?: number; needBytes?: number }[];
  /** Starts of the requests that a model answered, in epoch ms. */
  turnsAt: number[];
}

interface LoadRow {
  model: string;
  started_at: number;
  ended_at: number | null;
  predicted: string | null;
}

/** The single readings of `plimsoll.db`, its loads and its requests. Throws when the file is no record of ours. */
export function readRecord(path: string): RecordedMemory {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const samples = database.prepare<[], SampleRow>("SELECT * FROM samples ORDER BY taken_at").all();
    const loads = database
      .prepare<[], LoadRow>( // Without a request of its own nobody could have announced it.
        "SELECT model, started_at, ended_at, predicted FROM loads WHERE exchange_id IS NOT NULL ORDER BY started_at",
      )
      .all();
    const turns = database
      .prepare<[], number>(
        "SELECT started_at FROM exchanges WHERE operation IN ('chat', 'generate') ORDER BY started_at",
      )
      .pluck()
      .all();
    return {
      samples: samples.map(sampleFromRow),
      loads: loads.map((row) => ({
        model: row.model,
        startedAt: row.started_at,
        endedAt: row.ended_at ?? undefined,
        needBytes: parsed<MemoryEstimate>(row.predicted)?.residentHostBytes,
      })),
      turnsAt: turns,
    };
  } catch (error) {
    throw new Error(`${path} is no record of Plimsoll, or a newer one: ${String(error)}`, { cause: error });
  } finally {
    database.close();
  }
}
