import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export const pixelsPerDigit = 28 * 28;
const recordBytes = 1 + pixelsPerDigit;

/** How many digits at the end of the file are held out: never trained on, only measured. */
const heldOutCount = 1000;

/** Reads the gzip made by make-data.mjs: for each digit one byte of label, then 28×28 bytes of grey. */
export function readDigits(path) {
  const bytes = gunzipSync(readFileSync(path));
  const count = bytes.length / recordBytes;
  if (!Number.isInteger(count) || count <= heldOutCount)
    throw new Error(`${path} holds ${count} digits; it must hold whole ones, and more than ${heldOutCount}.`);
  return { train: slice(bytes, 0, count - heldOutCount), heldOut: slice(bytes, count - heldOutCount, count) };
}

function slice(bytes, from, to) {
  const count = to - from;
  const pixels = new Float32Array(count * pixelsPerDigit);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const start = (from + i) * recordBytes;
    labels[i] = bytes[start];
    for (let p = 0; p < pixelsPerDigit; p++) pixels[i * pixelsPerDigit + p] = bytes[start + 1 + p] / 255;
  }
  return { count, pixels, labels };
}
