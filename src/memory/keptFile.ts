import { closeSync, openSync, readSync } from "node:fs";

/** The three calls a kept file makes, so that a test can play a kernel that takes a descriptor away. */
export interface FileCalls {
  open(path: string): number;
  read(descriptor: number, buffer: Buffer, position: number): number;
  close(descriptor: number): void;
}

/** A `/proc` or `/sys` file that stays open and is read again from its start. */
export interface KeptFile {
  readonly path: string;
  /** The whole text now, or `undefined` while it cannot be read. */
  read(): string | undefined;
  close(): void;
}

/**
 * What lies beyond this of one file is not read: the largest, `/proc/vmstat`, has 6 KiB. The buffer is shared, because
 * reading and turning into text happen in one go.
 */
const buffer = Buffer.allocUnsafe(64 * 1024);

const nodeCalls: FileCalls = {
  open: (path) => openSync(path, "r"),
  read: (descriptor, into, position) =>
    readSync(descriptor, into, position, into.length - position, position),
  close: closeSync,
};

/**
 * Keeps `path` open. A read through a kept descriptor costs a third of opening anew, and no promise: these files never
 * wait for a disk. A descriptor the kernel has revoked (`ESRCH`, `EBADF`, `ENODEV`) is opened again at the same path,
 * unless `reopen` is false: the file of a process must not, since its number may belong to another one by then.
 */
export function keepFile(
  path: string,
  { reopen = true, calls = nodeCalls }: { reopen?: boolean; calls?: FileCalls } = {},
): KeptFile {
  let descriptor: number | undefined;
  let opened = false;

  const close = (): void => {
    if (descriptor === undefined) return;
    const closing = descriptor;
    descriptor = undefined;
    try {
      calls.close(closing);
    } catch {
      // Already gone, which is what was wanted.
    }
  };

  const attempt = (): string | undefined => {
    try {
      if (descriptor === undefined) {
        if (opened && !reopen) return undefined;
        opened = true;
        descriptor = calls.open(path);
      }
      return readAll(descriptor, calls);
    } catch {
      close();
      return undefined;
    }
  };

  return {
    path,
    read: () => {
      const hadDescriptor = descriptor !== undefined;
      const text = attempt();
      return text === undefined && hadDescriptor ? attempt() : text;
    },
    close,
  };
}

/** The kernel may hand out a list such as `/proc/vmstat` a page at a time: read until nothing more comes. */
function readAll(descriptor: number, calls: FileCalls): string {
  let length = 0;
  while (length < buffer.length) {
    const count = calls.read(descriptor, buffer, length);
    if (count === 0) break;
    length += count;
  }
  return buffer.toString("latin1", 0, length);
}
