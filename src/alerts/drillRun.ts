/**
 * The run that a drill plays: a real Ollama 0.33 in a group of 1480 MiB, one chat after the other, each leaving its prompt
 * in the runner's cache until swapping starts. One reading a second.
 */
export const DRILL_RUN: {
  limitMebibytes: number;
  /** What the group could still use. */
  leftMebibytes: readonly number[];
  /** By second, where any. */
  swapOutMebibytes: Readonly<Record<number, number>>;
  swapInMebibytes: Readonly<Record<number, number>>;
  /** Seconds at which a turn began. */
  turns: readonly number[];
} = {
  limitMebibytes: 1480,
  leftMebibytes: [
    360, 360, 360, 360, 360, 360, 360, 360, 360, 360, 360, 360, 342, 342, 342, 342, 342, 342, 305, 305, 305,
    305, 305, 305, 305, 267, 267, 267, 267, 267, 267, 230, 230, 230, 230, 230, 230, 192, 192, 192, 192, 192,
    192, 154, 154, 154, 154, 154, 154, 117, 117, 117, 117, 117, 117, 80, 80, 80, 80, 80, 80, 43, 43, 43, 43,
    43, 43, 57, 57, 57, 57, 57, 57, 48, 54, 57, 57, 57, 57, 57, 57, 53, 94, 94, 94, 94, 94, 94, 94, 94, 94,
    94, 94,
  ],
  swapOutMebibytes: { 67: 48.8, 73: 144.2 },
  swapInMebibytes: { 73: 137.1, 75: 0.1, 81: 0.1, 82: 0.3 },
  turns: [11.2, 17.6, 24.4, 30.3, 36.6, 42.4, 48.2, 54.3, 60.2, 66.4, 74.6, 80.8, 81.4, 81.9],
};
