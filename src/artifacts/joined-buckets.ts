import { WeirError } from '../core/errors.ts';
import type { Bucket } from './bucket.ts';
import { regionOf } from './names.ts';

/** One bucket made of several in different regions: each key says in which its object lies. */
export function joinBuckets(home: Bucket, elsewhere: ReadonlyMap<string, Bucket>): Bucket {
  const all = [home, ...elsewhere.values()];
  const of = (key: string): Bucket => {
    const region = regionOf(key);
    const bucket = region === null ? home : elsewhere.get(region);
    if (bucket === undefined)
      throw new WeirError(
        'unavailable',
        `The bucket in ${region} is not configured any more; name it again under bucket.elsewhere, or move what it holds.`,
      );
    return bucket;
  };
  return {
    name: home.name,
    ...(home.origin === undefined ? {} : { origin: home.origin }),
    createUploadUrl: async (key, options) => of(key).createUploadUrl(key, options),
    createDownloadUrl: async (key, options) => of(key).createDownloadUrl(key, options),
    write: async (key, bytes) => of(key).write(key, bytes),
    read: async (key, span) => of(key).read(key, span),
    stat: async (key) => of(key).stat(key),
    remove: async (key) => of(key).remove(key),
    discardUnfinished: async (before) => {
      await Promise.all(all.map((bucket) => bucket.discardUnfinished(before)));
    },
    applyLifecycle: async (rules) => {
      await Promise.all(all.map(async (bucket) => bucket.applyLifecycle?.(rules)));
    },
    isReady: async () => (await Promise.all(all.map((bucket) => bucket.isReady()))).every(Boolean),
  };
}
