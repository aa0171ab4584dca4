/**
 * What others do when memory runs short, as small detectors with their published defaults, so that all see the same
 * seconds. Where a program asks for something that no recording has, it is read in its favour.
 */
import type { MemorySample } from "../../src/types.ts";

export interface ReferenceDetector {
  name: string;
  rule: string;
  /** Whether it speaks or acts at this reading. Fed in order, one a second. */
  fires(sample: MemorySample): boolean;
}

/** Share of swap that is free; a machine without swap has none, one that does not say has all. */
function freeSwap({ swapTotalBytes, swapUsedBytes }: MemorySample): number {
  if (swapTotalBytes === undefined) return 1;
  return swapTotalBytes === 0 ? 0 : 1 - (swapUsedBytes ?? 0) / swapTotalBytes;
}

function available({ availableBytes = 0, totalBytes = 1 }: MemorySample): number {
  return availableBytes / totalBytes;
}

/** The kernel's `avg10`, from the share of time stalled in each second. */
function createAverage(): (ratio: number) => number {
  let average = 0;
  return (ratio) => {
    average += (ratio - average) * (1 - Math.exp(-1 / 10));
    return average;
  };
}

/** earlyoom 1.8: available of what programs could have, and free swap, both at most 10 %. */
function earlyoom(): ReferenceDetector {
  return {
    name: "earlyoom",
    rule: "available ≤ 10 % and free swap ≤ 10 %: ends a program",
    fires(sample) {
      const { availableBytes = 0, anonymousBytes = 0 } = sample;
      const ratio = availableBytes / Math.max(1, availableBytes + anonymousBytes);
      return ratio <= 0.1 && freeSwap(sample) <= 0.1;
    },
  };
}

/** nohang's desktop file: warns under 20 % of memory, under 25 % of swap, or at PSI over 10; each alone is enough here. */
function nohang(): ReferenceDetector {
  const average = createAverage();
  return {
    name: "nohang, warning",
    rule: "available < 20 %, or free swap < 25 %, or PSI full avg10 > 10 %: warns",
    fires(sample) {
      const pressure = average(sample.pressureFullRatio ?? 0);
      const swapIsLow =
        sample.swapTotalBytes !== undefined && sample.swapTotalBytes > 0 && freeSwap(sample) < 0.25;
      return available(sample) < 0.2 || swapIsLow || pressure > 0.1;
    },
  };
}

/** Netdata's `ram_in_use`: a warning from 90 % in use until it is under 80 % again. */
function netdata(): ReferenceDetector {
  let warns = false;
  return {
    name: "Netdata, ram_in_use",
    rule: "in use > 90 %, until < 80 %: warns",
    fires(sample) {
      const used = 1 - available(sample);
      warns = used > (warns ? 0.8 : 0.9);
      return warns;
    },
  };
}

/** systemd-oomd: memory and swap used over 90 %, or PSI full avg10 over 60 % for 30 s. */
function oomd(): ReferenceDetector {
  const average = createAverage();
  let pressedSeconds = 0;
  return {
    name: "systemd-oomd",
    rule: "memory and swap used > 90 %, or PSI full avg10 > 60 % for 30 s: ends a group",
    fires(sample) {
      pressedSeconds = average(sample.pressureFullRatio ?? 0) > 0.6 ? pressedSeconds + 1 : 0;
      return (available(sample) < 0.1 && freeSwap(sample) < 0.1) || pressedSeconds >= 30;
    },
  };
}

/** Each call makes fresh ones: they remember. */
export function referenceDetectors(): ReferenceDetector[] {
  return [earlyoom(), nohang(), netdata(), oomd()];
}
