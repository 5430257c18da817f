/**
 * Reads vitest's JSON report and says which suites ran on which devices:
 * `node .ci/suites.mjs REPORT js,cpu [SUITE…]`. Fails when a test failed or one of a device was skipped, when one of
 * the suites (default: conformance and gradients) is missing, and when a device suite (a file with
 * tests named "on DEVICE") did not run on one of the devices.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const [path, wanted, ...named] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
const devices = wanted.split(',');
const required = named.length > 0 ? named : ['conformance', 'gradients'];
const problems = [];
const skipped = []; // what needs other software or another user: its file prints why
const suites = new Map();

for (const file of report.testResults) {
  const name = basename(file.name).replace('.test.ts', '');
  const counts = new Map();
  for (const each of file.assertionResults) {
    const device =
      devices.find((one) =>
        each.fullName.split(/[\s,]+on /).some((part) => part.split(/[\s,]/)[0] === one),
      ) ?? '';
    if (each.status === 'passed') counts.set(device, (counts.get(device) ?? 0) + 1);
    else if (device === '' && each.status === 'skipped') skipped.push(`${name}: ${each.fullName}`);
    else problems.push(`${name}: "${each.fullName}" is ${each.status}`);
  }
  if (file.assertionResults.length === 0) problems.push(`${name}: no test ran`);
  suites.set(name, counts);
}
for (const [name, counts] of suites) {
  const text = [...counts].map(([device, count]) => `${count}${device ? ` on ${device}` : ''}`);
  console.log(`  ${name.padEnd(24)}${text.join(', ')}`);
  if ([...counts.keys()].every((device) => device === '')) continue;
  // Suites of CUDA's own have nothing to say of other devices.
  const meant = devices.filter((device) => !name.startsWith('cuda') || device.startsWith('cuda'));
  for (const device of meant)
    if (!counts.has(device)) problems.push(`${name}: ran no test on ${device}`);
}
for (const name of required) {
  if (![...suites.keys()].some((each) => each.startsWith(name)))
    problems.push(`there is no ${name} suite`);
}
for (const each of skipped) console.log(`  skipped: ${each}`);
for (const problem of problems) console.error(`PROBLEM ${problem}`);
console.log(
  `${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped.length} skipped`,
);
process.exitCode = problems.length > 0 || report.numPassedTests === 0 ? 1 : 0;
