import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureTransfer } from '../artifacts/transfer.ts';

/** Moves one artifact of 2 GiB through the API into the file system bucket and back, against a bare write, MD5 and fsync of as much. */
const MiB = 1024 * 1024;
const sizeBytes = 2048 * MiB;

async function bareWriteSeconds(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const file = await open(join(directory, 'bare'), 'w');
  const [hash, block, start] = [createHash('md5'), Buffer.alloc(MiB), performance.now()];
  for (let offset = 0; offset < sizeBytes; offset += MiB) {
    await file.write(block, 0, MiB, offset);
    hash.update(block);
  }
  await file.sync();
  await file.close();
  const seconds = (performance.now() - start) / 1000;
  await rm(directory, { recursive: true });
  return seconds;
}

const bareSeconds = await bareWriteSeconds();
const transfer = await measureTransfer(sizeBytes);
if (!transfer.isIntact) throw new Error('The bytes that came back are not those that were sent.');

const rate = (seconds: number) => Math.round(sizeBytes / MiB / seconds);
const summary = `2 GiB up at ${rate(transfer.uploadSeconds)} MiB/s and down at ${rate(transfer.downloadSeconds)} MiB/s (a bare write with MD5: ${rate(bareSeconds)} MiB/s), with at most ${Math.round(transfer.peakRssBytes / MiB)} MiB of memory`;
const result = { bench: 'artifact-transfer', ...transfer, bareSeconds, summary };
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(result)}\n` : `${summary}\n`);
