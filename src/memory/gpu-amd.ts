import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { GpuSample } from "../types.ts";
import { numberAfter } from "./fields.ts";
import { keepFile, type KeptFile } from "./keptFile.ts";

interface AmdCard {
  id: string;
  name?: string;
  totalBytes: KeptFile;
  usedBytes: KeptFile;
  sharedTotalBytes: KeptFile;
  sharedUsedBytes: KeptFile;
}

/**
 * AMD cards, by the four files their driver keeps in `/sys/class/drm`. On an APU the first pair is a small carve-out
 * and the weights lie in the second: "GTT" is system memory that the GPU uses.
 */
export function createAmdWatch(sysRoot: string): { read(): GpuSample[]; close(): void } {
  const cards = findCards(join(sysRoot, "class/drm"));
  return {
    read: () =>
      cards.map((card) => ({
        id: card.id,
        vendor: "amd",
        name: card.name,
        totalBytes: bytesIn(card.totalBytes),
        usedBytes: bytesIn(card.usedBytes),
        sharedTotalBytes: bytesIn(card.sharedTotalBytes),
        sharedUsedBytes: bytesIn(card.sharedUsedBytes),
      })),
    close: () => {
      for (const card of cards) {
        for (const file of filesOf(card)) file.close();
      }
    },
  };
}

function findCards(drmDirectory: string): AmdCard[] {
  const cards: AmdCard[] = [];
  for (const id of listCards(drmDirectory)) {
    const file = (name: string): KeptFile => keepFile(join(drmDirectory, id, "device", name));
    const product = file("product_name");
    const card: AmdCard = {
      id,
      name: product.read()?.trim() || undefined,
      totalBytes: file("mem_info_vram_total"),
      usedBytes: file("mem_info_vram_used"),
      sharedTotalBytes: file("mem_info_gtt_total"),
      sharedUsedBytes: file("mem_info_gtt_used"),
    };
    product.close();
    if (bytesIn(card.totalBytes) !== undefined) cards.push(card);
    else for (const opened of filesOf(card)) opened.close();
  }
  return cards;
}

/** `card0` is a card, `card0-HDMI-A-1` one of its sockets. */
function listCards(drmDirectory: string): string[] {
  try {
    return readdirSync(drmDirectory).filter((name) => /^card\d+$/.test(name));
  } catch {
    return []; // No graphics at all, as on most servers.
  }
}

function filesOf(card: AmdCard): KeptFile[] {
  return [card.totalBytes, card.usedBytes, card.sharedTotalBytes, card.sharedUsedBytes];
}

function bytesIn(file: KeptFile): number | undefined {
  const text = file.read();
  return text === undefined ? undefined : numberAfter(text, "");
}
