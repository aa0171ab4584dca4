/** Server-sent events of a byte stream, cut anywhere. */
import { createLineSplitter, type LineSplitter } from "./ndjson.ts";

interface SseEvent {
  /** The `event:` field, or an empty string. */
  name: string;
  /** The `data:` lines joined by LF. */
  data: Buffer;
}

export interface SseSplitterOptions {
  maxEventBytes: number;
  onEvent(event: SseEvent): void;
  /** An event larger than `maxEventBytes` was left out; the next one is read again. */
  onOversize(): void;
}

const COLON = 0x3a;
const SPACE = 0x20;
const LF = Buffer.from("\n");
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts a byte stream into server-sent events: lines end with CR, LF or CRLF, a byte order mark at the start and comment
 * lines are left out, an empty line closes the event. An event that the end of the stream leaves open is given out as
 * well; cut-off JSON in it will not parse, and a last event without its empty line is not lost.
 */
export function createSseSplitter({ maxEventBytes, onEvent, onOversize }: SseSplitterOptions): LineSplitter {
  let name = "";
  let data: Buffer[] = [];
  let dataBytes = 0;
  let tooLarge = false;
  let atStart = true;

  function dispatch(): void {
    const event = { name, data: joined(data) };
    const hasData = data.length > 0 && !tooLarge;
    name = "";
    data = [];
    dataBytes = 0;
    tooLarge = false;
    if (hasData) {
      onEvent(event);
    }
  }

  function reject(): void {
    if (!tooLarge) {
      onOversize();
    }
    tooLarge = true;
    data = [];
  }

  function addField(line: Buffer): void {
    const colon = line.indexOf(COLON);
    const field = line.toString("latin1", 0, colon === -1 ? line.length : colon);
    const valueStart = colon === -1 ? line.length : colon + (line[colon + 1] === SPACE ? 2 : 1);
    if (field === "event") {
      name = line.toString("utf8", valueStart);
    }
    if (field !== "data" || tooLarge) {
      return;
    }
    dataBytes += line.length - valueStart + 1;
    if (dataBytes > maxEventBytes) {
      return reject();
    }
    data.push(Buffer.from(line.subarray(valueStart)));
  }

  const lines = createLineSplitter({
    maxLineBytes: maxEventBytes,
    crEndsLine: true,
    onOversize: reject,
    onLine(line) {
      const hasMark = atStart && line.subarray(0, 3).equals(BYTE_ORDER_MARK);
      atStart = false;
      if (line.length === 0) {
        dispatch();
      } else {
        addField(hasMark ? line.subarray(3) : line);
      }
    },
  });

  return {
    push: lines.push,
    end() {
      lines.end();
      dispatch();
    },
  };
}

function joined(lines: Buffer[]): Buffer {
  const [first] = lines;
  if (first !== undefined && lines.length === 1) {
    return first;
  }
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [LF, line])));
}
