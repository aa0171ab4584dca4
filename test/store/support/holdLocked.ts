/** Another program that keeps the record's write lock until its input ends. Arguments: database file. */
import Database from "better-sqlite3";

const [file = ""] = process.argv.slice(2);
const database = new Database(file, { timeout: 5000 });
database.exec("BEGIN IMMEDIATE");
console.log("locked");
process.stdin.resume();
process.stdin.once("end", () => database.close());
