export function helpText(cases: readonly { name: string; title: string }[]): string {
  const names = cases.map(({ name, title }) => `  ${name.padEnd(15)} ${title}`);
  return `npm run bench -- [options]

Measures Plimsoll beside other proxies, on loopback, in front of a mock Ollama. About 20 minutes; --quick about three.
A whole run writes bench/results.md and bench/results.json; part of one is only printed. Needs Linux and a build.

  --quick              fewer and shorter rounds: to see that nothing broke, not to be quoted
  --case NAME          only this case; may be repeated
  --target NAME        only this target and direct; may be repeated
  --with-npm-targets   also http-proxy and Portkey's gateway, installed from npm into a temporary folder
  --upload-bytes N     size of the large upload (default 4e9; 1e9 with --quick)
  --rounds N           rounds of each case (default 7)
  --seed N             seed of the random order of targets (default 1)
  --busy-ok            measure although others use the processors; the report says so
  --output DIR         write results.md and results.json there
  --other FILE         also another build of Plimsoll: FILE is its dist/server/main.js
  --cpu-prof DIR       write a processor profile of Plimsoll there (it then runs slower)
  --json               print JSON instead of tables
  -h, --help           this text

Cases
${names.join("\n")}
`;
}
