/** Writes small GGUF headers, right or wrong on purpose. */
export interface GgufParts {
  version?: number;
  pairs?: readonly GgufPair[];
  tensors?: readonly { name: string; dimensions: readonly (number | bigint)[]; type: number }[];
  /** What the header claims, where that is not the truth. */
  claimedPairs?: bigint;
  claimedTensors?: bigint;
}

export type GgufPair =
  | { key: string; kind: "uint32"; value: number }
  | { key: string; kind: "uint64"; value: bigint }
  | { key: string; kind: "float32"; value: number }
  | { key: string; kind: "bool"; value: boolean }
  | { key: string; kind: "text"; value: string }
  | { key: string; kind: "texts"; value: readonly string[] }
  | { key: string; kind: "uint32s"; value: readonly number[] }
  | { key: string; kind: "raw"; type: number; value: Uint8Array };

export function ggufFile(parts: GgufParts): Uint8Array {
  const { version = 3, pairs = [], tensors = [] } = parts;
  return joined([
    text("GGUF"),
    uint32(version),
    uint64(parts.claimedTensors ?? BigInt(tensors.length)),
    uint64(parts.claimedPairs ?? BigInt(pairs.length)),
    ...pairs.flatMap((pair) => [sized(pair.key), ...valueOf(pair)]),
    ...tensors.flatMap(({ name, dimensions, type }) => [
      sized(name),
      uint32(dimensions.length),
      ...dimensions.map((size) => uint64(BigInt(size))),
      uint32(type),
      uint64(0n),
    ]),
  ]);
}

function valueOf(pair: GgufPair): Uint8Array[] {
  switch (pair.kind) {
    case "uint32":
      return [uint32(4), uint32(pair.value)];
    case "uint64":
      return [uint32(10), uint64(pair.value)];
    case "float32":
      return [uint32(6), float32(pair.value)];
    case "bool":
      return [uint32(7), Uint8Array.of(Number(pair.value))];
    case "text":
      return [uint32(8), sized(pair.value)];
    case "texts":
      return [uint32(9), uint32(8), uint64(BigInt(pair.value.length)), ...pair.value.map(sized)];
    case "uint32s":
      return [uint32(9), uint32(4), uint64(BigInt(pair.value.length)), ...pair.value.map(uint32)];
    case "raw":
      return [uint32(pair.type), pair.value];
  }
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function sized(value: string): Uint8Array {
  const bytes = text(value);
  return joined([uint64(BigInt(bytes.length)), bytes]);
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}
