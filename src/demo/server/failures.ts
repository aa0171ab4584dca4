/** What a request can be refused with. The asking dialect decides what that looks like. */

export class RequestError extends Error {
  readonly status: number;
  /**
   * Who refuses shows in the framing: the `framework`, before the API's own code runs, or the `runner`, when a stream had
   * been promised already.
   */
  readonly by: "api" | "framework" | "runner";

  constructor(status: number, message: string, by: "api" | "framework" | "runner" = "api") {
    super(message);
    this.status = status;
    this.by = by;
  }
}
