/** What installing a service comes to, on any system: files to write and commands to run. */

export interface ServiceRequest {
  /** Program and arguments, paths absolute. */
  command: readonly string[];
  home: string;
  /** Numeric id of the user, where there is one. */
  userId: number;
  /** For the whole machine, not for one user (systemd only). */
  system: boolean;
}

export interface ServicePlan {
  /** `systemd user unit`, for messages. */
  kind: string;
  file: { path: string; text: string; encoding: "utf8" | "utf16le" };
  install: string[][];
  /** Run before the file is removed. */
  uninstall: string[][];
  /** Run after it is removed. */
  afterwards: string[][];
  /** Succeeds while the service runs. */
  isActive: string[];
  /** What people should know once it is installed. */
  notes: string[];
}
