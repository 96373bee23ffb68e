import { createHash } from 'node:crypto';

const base = 'https://www.googleapis.com/compute/v1/';

/** A resource's full address, as Compute Engine writes it in its answers. */
export function link(resource: string): string {
  return base + resource;
}

/** The part after `projects/`, of a full or partial address; requests may use either. */
export function resourceOf(address: string): string {
  return address.replace(/^https:\/\/[^/]+\/(?:compute\/)?v1\//, '');
}

export function lastOf(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1);
}

/** The same 64-bit number for the same text. */
export function idOf(text: string): string {
  return String(createHash('sha256').update(text).digest().readBigUInt64BE() >> 1n);
}

let count = 0n;

/** A number that no other resource of this process has. */
export function newId(): string {
  count += 1n;
  return String(BigInt(Date.now()) * 1_000_000n + count);
}

/** RFC 3339 with the offset of Google's home, as Compute Engine writes times. */
export function timestamp(at: Date): string {
  return `${new Date(at.getTime() - 8 * 3_600_000).toISOString().slice(0, -1)}-08:00`;
}
