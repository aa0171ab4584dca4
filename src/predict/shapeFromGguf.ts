import { createByteReader, type ByteReader, type ReadBytes } from "./ggufBytes.ts";
import { readText, readValue } from "./ggufValues.ts";
import { ggmlTypeWithId } from "./ggmlTypes.ts";
import type { ModelShape, TensorShape } from "./modelShape.ts";
import { buildShape } from "./shapeBuild.ts";
import { ShapeProblem } from "./shapeProblem.ts";

const MAGIC = 0x46554747;
const MOST_PAIRS = 100_000;
const MOST_TENSORS = 200_000;
const MOST_DIMENSIONS = 4;

/**
 * A model's shape from the header of a GGUF file, read through `read`; of a model that was cut into several files, `more`
 * reads the others. Nothing is allocated by what a header claims; a truncated or lying one gives a
 * {@link ShapeProblem} that names the place.
 */
export function shapeFromGguf(read: ReadBytes, more: readonly ReadBytes[] = []): ModelShape {
  const [first, ...others] = [read, ...more].map(readHeader);
  if (first === undefined) throw new ShapeProblem("not-gguf", "there is no file to read");
  const parts = first.info["split.count"];
  if (typeof parts === "number" && parts > 1 + others.length) {
    throw new ShapeProblem(
      "bad-gguf",
      `this is one of ${parts} files that make up the model, and ${1 + others.length} were given: all are needed`,
    );
  }
  const tensors = [first, ...others].flatMap((header) => header.tensors);
  return buildShape({ info: first.info, tensors, projector: false, remarks: [] });
}

interface Header {
  info: Record<string, unknown>;
  tensors: TensorShape[];
}

function readHeader(read: ReadBytes): Header {
  const reader = createByteReader(read);
  if (reader.uint32("the first four bytes") !== MAGIC) {
    throw new ShapeProblem("not-gguf", "the file does not begin with GGUF");
  }
  const version = reader.uint32("the version");
  if (version !== 2 && version !== 3) {
    throw new ShapeProblem("not-gguf", `GGUF version ${version} is not read: only 2 and 3, little-endian`);
  }
  const tensorCount = bounded(reader.uint64("the number of tensors"), MOST_TENSORS, "tensors");
  const pairCount = bounded(reader.uint64("the number of key/value pairs"), MOST_PAIRS, "key/value pairs");
  const info = readPairs(reader, pairCount);
  return { info, tensors: readTensors(reader, tensorCount) };
}

function bounded(count: number, most: number, what: string): number {
  if (count <= most) return count;
  throw new ShapeProblem("bad-gguf", `the header claims ${count} ${what}; no model has more than ${most}`);
}

function readPairs(reader: ByteReader, count: number): Record<string, unknown> {
  const info: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (let index = 0; index < count; index += 1) {
    const key = readText(reader, `key ${index}`) ?? `key ${index}`;
    const type = reader.uint32(`the type of ${key}`);
    const value = readValue(reader, type, key);
    if (value !== undefined) info[key] = value;
  }
  return info;
}

function readTensors(reader: ByteReader, count: number): TensorShape[] {
  const tensors: TensorShape[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = readText(reader, `the name of tensor ${index}`) ?? `tensor ${index}`;
    const length = reader.uint32(`the dimensions of ${name}`);
    if (length === 0 || length > MOST_DIMENSIONS) {
      throw new ShapeProblem(
        "bad-gguf",
        `${name} claims ${length} dimensions; 1 to ${MOST_DIMENSIONS} are possible`,
      );
    }
    const dimensions = Array.from({ length }, () => reader.uint64(`a dimension of ${name}`));
    const type = reader.uint32(`the type of ${name}`);
    reader.uint64(`the offset of ${name}`);
    tensors.push({ name, type: ggmlTypeWithId(type)?.name ?? `number ${type}`, dimensions });
  }
  return tensors;
}
