import { isId } from '../core/ids.ts';
import { maxPathBytes } from '../protocol/limits.ts';

/** How keys end, by which lifecycle rules of a bucket tell what an object is. */
export const keySuffixes = { output: '-output', checkpoint: '-checkpoint', log: '-log' } as const;

/** Whose an object is, and the region whose bucket it lies in: null for the home bucket. */
export type Owner = { tenantId: string; region: string | null };

/** Where an artifact's bytes lie: each attempt in a folder of its own, so a late upload of an old one meets nothing. */
export function artifactKey(
  owner: Owner,
  artifact: { jobId: string; attempt: number; artifactId: string; kind: 'output' | 'checkpoint' },
): string {
  const { jobId, attempt, artifactId, kind } = artifact;
  return `${folderOf(owner)}/jobs/${jobId}/attempts/${attempt}/${artifactId}${keySuffixes[kind]}`;
}

export function uploadKey(owner: Owner, uploadId: string): string {
  return `${folderOf(owner)}/uploads/${uploadId}`;
}

/** Where lines of a job's log lie, by the numbers of the first and the last. */
export function logKey(owner: Owner, jobId: string, span: { firstSeq: number; lastSeq: number }): string {
  return `${folderOf(owner)}/jobs/${jobId}/${span.firstSeq}-${span.lastSeq}${keySuffixes.log}`;
}

/** Where the runner's executable lies; named by its content, so that it is never another. */
export function runnerKey(sha256: string): string {
  return `runners/${sha256}`;
}

function folderOf({ tenantId, region }: Owner): string {
  return `${region === null ? '' : `regions/${region}/`}tenants/${tenantId}`;
}

/** The region whose bucket holds the object; null for the home bucket. */
export function regionOf(key: string): string | null {
  return /^regions\/([^/]+)\//.exec(key)?.[1] ?? null;
}

/** Segments without dots: no key can leave its bucket's folder or meet a sidecar there. */
const keyPattern = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;

export function isObjectKey(text: string): boolean {
  return text.length <= 512 && keyPattern.test(text);
}

const uploadScheme = 'weir://uploads/';

/** What a spec calls an upload. */
export function uploadUri(uploadId: string): string {
  return `${uploadScheme}${uploadId}`;
}

/** The upload that a `weir://` address names; undefined where it names none. */
export function uploadIdOf(uri: string): string | undefined {
  const id = uri.startsWith(uploadScheme) ? uri.slice(uploadScheme.length) : '';
  return isId('upload', id) ? id : undefined;
}

export function isUploadUri(uri: string): boolean {
  return uri.startsWith(uploadScheme);
}

/** An artifact of a job, or with an empty path or one that ends in a slash all that lie below. Of an array: `<index>/<path>`. */
export type ArtifactUri = { jobId: string; path: string };

/** What a `weir://jobs/<job>/artifacts/<path>` names; undefined for another address. */
export function artifactUriOf(uri: string): ArtifactUri | undefined {
  const [, jobId = '', path = ''] = /^weir:\/\/jobs\/([^/]+)\/artifacts\/(.*)$/s.exec(uri) ?? [];
  return isId('job', jobId) && (path === '' || isRelativePath(path.replace(/\/$/, ''))) ? { jobId, path } : undefined;
}

/** True for a path that stays inside the folder it is relative to. Programs name files as they like, line breaks included. */
export function isRelativePath(path: string): boolean {
  return (
    Buffer.byteLength(path) <= maxPathBytes &&
    !path.includes('\0') &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** The last part of an artifact's path. */
export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** RFC 6266: the exact name in UTF-8, and one in ASCII for clients that read only that. */
export function attachmentOf(fileName: string): string {
  const ascii = fileName.replaceAll(/[^\u0020-\u007e]|["\\%]/g, '_');
  const exact = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`;
}
