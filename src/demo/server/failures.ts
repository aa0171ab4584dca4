/** What a request can be refused with. The asking dialect decides what that looks like. */

export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
