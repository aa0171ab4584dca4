import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  hostFloorBytes,
  hotMappedBytes,
  linuxHeadroom,
  macHeadroom,
  windowsHeadroom,
} from "../../src/memory/headroom.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

it.each([
  [2 * GIB, 256 * MIB],
  [16 * GIB, Math.round(0.03 * 16 * GIB)],
  [256 * GIB, 2 * GIB],
])("puts the floor of %d bytes of memory at %d", (totalBytes, floorBytes) => {
  expect(hostFloorBytes(totalBytes)).toBe(floorBytes);
});

describe("on Linux", () => {
  const host = { totalBytes: 16 * GIB, availableBytes: 6 * GIB, hotMappedBytes: 0, groups: [] };

  it("is what is available above the floor", () => {
    expect(linuxHeadroom(host)).toEqual({
      headroomBytes: 6 * GIB - hostFloorBytes(16 * GIB),
      floorBytes: hostFloorBytes(16 * GIB),
    });
  });

  it("takes off mapped weights in use, which the kernel counts as available", () => {
    const before = linuxHeadroom(host)?.headroomBytes ?? 0;
    const after = linuxHeadroom({ ...host, hotMappedBytes: 2 * GIB })?.headroomBytes ?? 0;
    expect(before - after).toBe(2 * GIB);
  });

  it("goes negative once the floor is passed, and takes zero available for zero", () => {
    expect(linuxHeadroom({ ...host, availableBytes: 0 })?.headroomBytes).toBe(-hostFloorBytes(16 * GIB));
  });

  it("is decided by the group that has the least left above its own floor", () => {
    const tight = { limitBytes: 600 * MIB, usedBytes: 500 * MIB };
    const roomy = { limitBytes: 4 * GIB, usedBytes: 1 * GIB };
    expect(linuxHeadroom({ ...host, groups: [roomy, tight] })).toEqual({
      headroomBytes: 100 * MIB - 18 * MIB,
      floorBytes: 18 * MIB,
    });
  });

  it("is decided by the machine when its higher floor is reached first", () => {
    const group = { limitBytes: 4 * GIB, usedBytes: 4 * GIB - 500 * MIB };
    const headroom = linuxHeadroom({ ...host, availableBytes: 600 * MIB, groups: [group] });
    expect(headroom?.floorBytes).toBe(hostFloorBytes(16 * GIB));
    expect(headroom?.headroomBytes).toBe(600 * MIB - hostFloorBytes(16 * GIB));
  });

  it.each([{ totalBytes: undefined }, { availableBytes: undefined }])("is unknown when %j", (missing) => {
    const groups = [{ limitBytes: GIB, usedBytes: 0 }];
    expect(linuxHeadroom({ ...host, groups, ...missing })).toBeUndefined();
  });

  it("never grows when something is added that takes memory", () => {
    const bytes = fc.nat(64 * GIB);
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (availableBytes, hot, limitBytes, usedBytes) => {
        const plain = linuxHeadroom({ ...host, availableBytes })?.headroomBytes ?? 0;
        const burdened = linuxHeadroom({
          ...host,
          availableBytes,
          hotMappedBytes: hot,
          groups: [{ limitBytes, usedBytes }],
        });
        expect(burdened?.headroomBytes ?? 0).toBeLessThanOrEqual(plain);
      }),
    );
  });
});

describe("mapped weights in use", () => {
  it("count a file once, however many runners map it", () => {
    const runners = [
      { pid: 1, blobDigest: "aa", fileBytes: 900 * MIB },
      { pid: 2, blobDigest: "aa", fileBytes: 880 * MIB },
      { pid: 3, blobDigest: "bb", fileBytes: 100 * MIB },
    ];
    expect(hotMappedBytes(runners, 4 * GIB)).toBe(1000 * MIB);
  });

  it("keep runners apart whose file is not known", () => {
    expect(
      hotMappedBytes(
        [
          { pid: 1, fileBytes: 5 },
          { pid: 2, fileBytes: 7 },
        ],
        undefined,
      ),
    ).toBe(12);
  });

  it("are never more than the machine has mapped", () => {
    expect(hotMappedBytes([{ pid: 1, fileBytes: 900 }], 300)).toBe(300);
  });
});

it("on macOS it is the distance to XNU's swapping threshold, N = 0.4 A, less 2 % of memory", () => {
  const totalBytes = 16 * GIB;
  const compressorBytes = 3 * GIB;
  // N = 0.4 (N + C) exactly when N = C · 2/3.
  const atThreshold = macHeadroom({ totalBytes, reusableBytes: 2 * GIB, compressorBytes });
  expect(atThreshold.floorBytes).toBe(Math.round(0.02 * totalBytes));
  expect(atThreshold.headroomBytes).toBeCloseTo(-atThreshold.floorBytes, -1);
  const roomy = macHeadroom({ totalBytes, reusableBytes: 10 * GIB, compressorBytes: 0 });
  expect(roomy.headroomBytes).toBe(6 * GIB - roomy.floorBytes);
});

it.each([
  ["memory", { availableBytes: 2 * GIB, committedBytes: 10 * GIB, commitLimitBytes: 40 * GIB }, 2 * GIB],
  [
    "the commit limit",
    { availableBytes: 20 * GIB, committedBytes: 39 * GIB, commitLimitBytes: 40 * GIB },
    1 * GIB,
  ],
])("on Windows it ends at %s, whichever comes first", (_, use, usableBytes) => {
  const floorBytes = Math.round(0.05 * 32 * GIB);
  expect(windowsHeadroom({ totalBytes: 32 * GIB, ...use })).toEqual({
    headroomBytes: usableBytes - floorBytes,
    floorBytes,
  });
});
