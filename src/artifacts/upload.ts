import { invalid, mayPass, notFound, WeirError, type Fault } from '../core/errors.ts';
import type { Clock } from '../core/time.ts';
import type { Database, Sql } from '../db/database.ts';
import type { NewUpload, Upload } from '../protocol/job.ts';
import type { JobSpec } from '../protocol/job-spec.ts';
import type { Bucket } from './bucket.ts';
import { isUploadUri, regionOf, uploadIdOf, uploadKey, uploadUri, type Owner } from './names.ts';
import type { Residence } from './residence.ts';
import { findUpload, insertUpload, keepUpload, listUploadsOf, type StoredObject, type UploadRow } from './store.ts';

export type UploadDeps = { db: Database; bucket: Bucket; now: Clock };

/** What making uploads takes beside that. */
export type CreateUploadDeps = UploadDeps & { residence: Residence; uploadMs: number };

export type CreateUpload = (tenantId: string, wanted: NewUpload, id: string) => Promise<Upload>;

/** So many uploads of the same bytes are looked at: those that were announced and never sent stand in between. */
const formerLooked = 10;

/**
 * Makes uploads: a row and the signed URL that the tenant PUTs the bytes to. The same id again is the same upload; bytes that the
 * tenant has sent before are the upload that they were.
 */
export function createUpload({ db, bucket, now, residence, uploadMs }: CreateUploadDeps): CreateUpload {
  return async (tenantId, { name, sizeBytes, sha256 }, id) => {
    const createdAt = now();
    const expiresAt = new Date(createdAt.getTime() + uploadMs);
    const bytes = sha256 === undefined || sizeBytes === undefined ? undefined : { sha256, sizeBytes };
    const owner = { tenantId, region: await residence(tenantId) };
    const former =
      bytes === undefined ? undefined : await keepFormer({ db, bucket, now }, { owner, ...bytes, expiresAt });
    const upload = former ?? { id, objectKey: uploadKey(owner, id) };
    const url = await bucket.createUploadUrl(upload.objectKey, { sizeBytes, sha256, expiresAt });
    if (former === undefined) {
      const stated = { name: name ?? null, sizeBytes: sizeBytes ?? null, sha256: sha256 ?? null };
      await insertUpload(db.client, { ...upload, ...stated, tenantId, createdAt, expiresAt });
    }
    return {
      id: upload.id,
      uri: uploadUri(upload.id),
      url,
      method: 'PUT',
      headers: {},
      expiresAt: expiresAt.toISOString(),
      complete: former !== undefined,
    };
  };
}

type Wanted = { owner: Owner; sha256: string; sizeBytes: number; expiresAt: Date };

/** The upload by which the tenant has sent just these bytes to where it keeps them today, now kept for longer. */
async function keepFormer(
  { db, bucket, now }: UploadDeps,
  { owner: { tenantId, region }, expiresAt, ...bytes }: Wanted,
): Promise<StoredObject | undefined> {
  for (const former of await listUploadsOf(db.client, tenantId, bytes, { now: now(), take: formerLooked })) {
    if (regionOf(former.objectKey) !== region) continue;
    const info = await bucket.stat(former.objectKey);
    if (info?.sizeBytes === bytes.sizeBytes && (await keepUpload(db.client, former.id, now(), expiresAt)))
      return former;
  }
  return undefined;
}

/** The upload that `uri` names. @throws WeirError `not-found` where this tenant has none such. */
export async function requireUpload(sql: Sql, tenantId: string, uri: string): Promise<UploadRow> {
  const id = uploadIdOf(uri);
  const upload = id === undefined ? null : await findUpload(sql, tenantId, id);
  if (upload === null) throw notFound('upload', uri);
  return upload;
}

/**
 * The upload that a new spec names at `pointer`, its bytes all there.
 * @throws WeirError `not-found` where this tenant has none such, `invalid` where its bytes never arrived or are too old.
 */
export async function resolveUpload(
  { db, bucket, now }: UploadDeps,
  tenantId: string,
  { uri, pointer }: { uri: string; pointer: string },
): Promise<UploadRow> {
  const upload = await requireUpload(db.client, tenantId, uri);
  if (upload.expiresAt <= now())
    throw invalid(pointer, `${uri} expired at ${upload.expiresAt.toISOString()}; upload it again.`);
  const info = await bucket.stat(upload.objectKey);
  if (info === undefined)
    throw invalid(pointer, `The bytes of ${uri} never arrived; PUT them to the URL that POST /v1/uploads gave.`);
  if (upload.sizeBytes !== null && info.sizeBytes !== Number(upload.sizeBytes)) {
    throw invalid(
      pointer,
      `${uri} has ${info.sizeBytes} bytes instead of the ${upload.sizeBytes} announced; upload it again.`,
    );
  }
  return upload;
}

/** Resolves all uploads that a new spec names. @throws WeirError `invalid` with every fault. */
export async function requireUploads(deps: UploadDeps, tenantId: string, spec: JobSpec): Promise<void> {
  const named = [
    ...(spec.source === undefined ? [] : [{ uri: spec.source, pointer: '/source' }]),
    ...(spec.inputs ?? [])
      .map(({ uri }, index) => ({ uri, pointer: `/inputs/${index}/uri` }))
      .filter(({ uri }) => isUploadUri(uri)),
  ];
  const faults: Fault[] = [];
  for (const reference of named) {
    await resolveUpload(deps, tenantId, reference).catch((error: unknown) => {
      if (!(error instanceof WeirError) || mayPass(error)) throw error;
      faults.push({ pointer: reference.pointer, detail: error.message });
    });
  }
  if (faults.length > 0) throw new WeirError('invalid', 'The spec names uploads that can’t be used.', { faults });
}
