/**
 * Whether bytes are all there is of their memory, so that it can move to another thread or be freed: what is cut from a
 * pool or another chunk cannot go without its neighbours.
 */
export function ownsItsMemory(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength;
}
