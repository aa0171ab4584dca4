/**
 * Options for Node itself that Plimsoll is started with, wherever we say how: `npm start`, the service, the image. V8 is
 * made for programs that own the machine: while many answers pass, its young generation grows past 100 MiB, and each
 * of its four helper threads keeps the memory that compiling once took. Two halves of 8 MiB and one thread take 45 MiB
 * less, for 5 to 20 % more of the little processor time that streams cost. Neither can be set once Node runs.
 */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=8", "--v8-pool-size=1"];
