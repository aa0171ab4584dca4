/** Why the program must not run on this data directory. The message names the directory or versions, and the fix. */
export class StoreRefusal extends Error {
  readonly code: "newer-schema" | "locked";

  constructor(code: StoreRefusal["code"], message: string) {
    super(message);
    this.name = "StoreRefusal";
    this.code = code;
  }
}
