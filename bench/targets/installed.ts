/** Programs of the system. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Daemons often lie where an ordinary user's PATH does not look. */
const ALSO_IN = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/** Absolute path of an installed program; throws when it is not there. */
export function findProgram(name: string): string {
  const directories = [...(process.env["PATH"] ?? "").split(":"), ...ALSO_IN];
  const found = directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error("it is not installed");
  }
  return found;
}

/** The first dotted number in what the program says about itself. */
export function versionOf(command: string, flag: string): string | undefined {
  const { stdout, stderr } = spawnSync(command, [flag], { encoding: "utf8", timeout: 5000 });
  return /\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0];
}
