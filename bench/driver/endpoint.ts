/** Where a target listens and what it needs in every request. */
export interface Endpoint {
  port: number;
  /** Header lines of its own, e.g. the provider that a gateway is to use. */
  fields: readonly string[];
}
