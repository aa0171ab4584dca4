/**
 * ggml plans the compute buffer by walking the graph once: each result takes the smallest free block it fits into, is
 * freed after its last reader, and some operations write over their input. The same walk over the same sizes gives the
 * same buffer, fragmentation included, where a sum of sizes would not.
 */
export interface GraphTensor {
  bytes: number;
  sources: readonly GraphTensor[];
  /** Set for a view: the tensor whose memory it shows. */
  root?: GraphTensor;
  /** Filled before the graph runs, so it is placed before anything else. */
  isInput: boolean;
  /** May take over the memory of its first source that nobody else reads. */
  inPlace: boolean;
  /** Never freed: inputs nobody reads. */
  kept: boolean;
  /** Readers and views still to come; bookkeeping of {@link plannedBytes}. */
  readers: number;
  views: number;
  offset: number;
  placed: boolean;
  listed: boolean;
}

/** Peak of the buffer that holds every tensor of `order`, which lists sources before their readers. */
export function plannedBytes(order: readonly GraphTensor[], alignmentBytes: number): number {
  const blocks = createBlocks(alignmentBytes);
  countReaders(order);
  // Inputs go first, in the order in which the graph mentions them.
  for (const tensor of order) {
    if (tensor.isInput) place(tensor, blocks);
    for (const source of tensor.sources) if (source.isInput) place(source, blocks);
  }
  for (const tensor of order) {
    place(tensor, blocks);
    for (const source of tensor.sources) release(source, blocks);
  }
  return blocks.peak();
}

function countReaders(order: readonly GraphTensor[]): void {
  for (const tensor of order) {
    if (tensor.root !== undefined) tensor.root.views += 1;
    for (const source of tensor.sources) source.readers += 1;
  }
}

function place(tensor: GraphTensor, blocks: Blocks): void {
  if (tensor.placed || tensor.root !== undefined || tensor.bytes === 0) return;
  tensor.placed = true;
  tensor.offset = takenOver(tensor) ?? blocks.take(tensor.bytes);
}

/** Memory of the first source that has this tensor's size and no other reader; never that behind a view. */
function takenOver(tensor: GraphTensor): number | undefined {
  if (!tensor.inPlace) return undefined;
  for (const source of tensor.sources) {
    const free = source.offset >= 0 && source.readers === 1 && source.views === 0;
    if (!free || source.bytes !== tensor.bytes) continue;
    const { offset } = source;
    source.offset = -1;
    return offset;
  }
  return undefined;
}

function release(source: GraphTensor, blocks: Blocks): void {
  source.readers -= 1;
  if (source.readers > 0 || source.views > 0) return;
  const owner = source.root;
  if (owner === undefined) free(source, blocks);
  else {
    owner.views -= 1;
    if (owner.views === 0 && owner.readers === 0) free(owner, blocks);
  }
}

function free(tensor: GraphTensor, blocks: Blocks): void {
  if (tensor.offset < 0 || tensor.kept) return;
  blocks.giveBack(tensor.offset, tensor.bytes);
  tensor.offset = -1;
}

interface Blocks {
  take(bytes: number): number;
  giveBack(offset: number, bytes: number): void;
  peak(): number;
}

/** Free blocks in order of address; the last one never ends. */
function createBlocks(alignment: number): Blocks {
  const free: { offset: number; bytes: number }[] = [{ offset: 0, bytes: Infinity }];
  const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  let peak = 0;

  const bestFit = (bytes: number): number => {
    let best = free.length - 1;
    let bestBytes = Infinity;
    for (let index = 0; index < free.length - 1; index += 1) {
      const size = free[index]?.bytes ?? 0;
      if (size >= bytes && size <= bestBytes) {
        best = index;
        bestBytes = size;
      }
    }
    return best;
  };

  const joinNext = (index: number): void => {
    const block = free[index];
    const next = free[index + 1];
    if (block === undefined || next === undefined || block.offset + block.bytes !== next.offset) return;
    block.bytes += next.bytes;
    free.splice(index + 1, 1);
  };

  return {
    take(bytes) {
      const size = aligned(bytes);
      const index = bestFit(size);
      const block = free[index] ?? { offset: peak, bytes: Infinity };
      const offset = block.offset;
      block.offset += size;
      block.bytes -= size;
      if (block.bytes === 0) free.splice(index, 1);
      peak = Math.max(peak, offset + size);
      return offset;
    },
    giveBack(offset, bytes) {
      const size = aligned(bytes);
      let index = 0;
      while ((free[index]?.offset ?? Infinity) < offset) index += 1;
      free.splice(index, 0, { offset, bytes: size });
      joinNext(index);
      if (index > 0) joinNext(index - 1);
    },
    peak: () => peak,
  };
}
