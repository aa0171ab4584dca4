/** What a request can be refused with. The asking dialect decides what that looks like. */

export class RequestError extends Error {
  readonly status: number;
  /** Met by the runner, when a stream had been promised already. */
  readonly streaming: boolean;

  constructor(status: number, message: string, streaming = false) {
    super(message);
    this.status = status;
    this.streaming = streaming;
  }
}
