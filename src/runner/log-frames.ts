import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Gzipped records on their way to the broker. */
export type SpooledBatch = { firstLine: number; lines: number; rawBytes: number; bytes: Buffer };

/** CRC-32 of all that follows, length of the gzip, number of lines, bytes before packing, number of the first line. */
export const frameHeadBytes = 24;

/** A batch as it lies on disk, so that it can be read by another process than the one that wrote it. */
export function frameOf({ firstLine, lines, rawBytes, bytes }: SpooledBatch): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt32LE(bytes.length, 4);
  head.writeUInt32LE(lines, 8);
  head.writeUInt32LE(rawBytes, 12);
  head.writeDoubleLE(firstLine, 16);
  head.writeUInt32LE(crc32(bytes, crc32(head.subarray(4))), 0);
  return Buffer.concat([head, bytes]);
}

/** The batches of a file, in order, up to the first that was not written whole. */
export async function* readFrames(file: FileHandle): AsyncGenerator<SpooledBatch> {
  const { size } = await file.stat();
  for (let position = 0; position + frameHeadBytes <= size;) {
    const head = await readAt(file, position, frameHeadBytes);
    const length = head.readUInt32LE(4);
    if (position + frameHeadBytes + length > size) return;
    const bytes = await readAt(file, position + frameHeadBytes, length);
    if (head.readUInt32LE(0) !== crc32(bytes, crc32(head.subarray(4)))) return;
    yield {
      firstLine: head.readDoubleLE(16),
      lines: head.readUInt32LE(8),
      rawBytes: head.readUInt32LE(12),
      bytes,
    };
    position += frameHeadBytes + length;
  }
}

/** @throws Error where the file ends before that. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error('a file of the log was cut short');
    done += bytesRead;
  }
  return bytes;
}
