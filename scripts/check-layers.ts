/**
 * Checks that src/ keeps to the layers (scripts/layers.ts) and that docs/architecture.md quotes
 * their table; `--write` brings the quotation up to date.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findViolations, markdownTable, readSources, root, runtimePackages } from './layers.js';

const document = join(root, 'docs', 'architecture.md');
const quotation = /(<!-- layers: [^\n]*-->\n)[^]*(\n<!-- end of layers -->)/;

function checkDocument(write: boolean): string[] {
  if (!existsSync(document)) return ['docs/architecture.md is missing'];
  const text = readFileSync(document, 'utf8');
  if (!quotation.test(text)) return ['docs/architecture.md has no "layers" block'];
  const updated = text.replace(quotation, `$1\n${markdownTable()}\n$2`);
  if (updated === text) return [];
  if (!write) return ['docs/architecture.md: stale table; run `npm run check-layers -- --write`'];
  writeFileSync(document, updated);
  return [];
}

const sources = readSources();
const violations = findViolations(sources, runtimePackages());
violations.push(...checkDocument(process.argv.includes('--write')));
for (const violation of violations) console.error(violation);
console.log(`check-layers: ${sources.size} files, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
