import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createJobDownloads } from '../../src/artifacts/download.ts';
import { createUpload, requireUploads, resolveUpload } from '../../src/artifacts/upload.ts';
import { newId } from '../../src/core/ids.ts';
import { hourMs } from '../../src/core/time.ts';
import type { NewUpload } from '../../src/protocol/job.ts';
import { put } from './bucket-contract.ts';
import { depsAt, test, uploadMs } from './upload-deps.ts';

describe('an upload', () => {
  test('is a URL to PUT to and a name for specs', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const upload = await make(tenantId, { name: 'code.tar', sizeBytes: 5 });
    expect(upload).toMatchObject({ uri: `weir://uploads/${upload.id}`, method: 'PUT', headers: {} });
    expect((await put(upload.url, 'hello')).status).toBe(200);
    expect(await resolveUpload(depsAt(db), tenantId, { uri: upload.uri, pointer: '/source' })).toMatchObject({
      id: upload.id,
      name: 'code.tar',
    });
  });

  test('whose bytes are not of the announced checksum was never made', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const upload = await make(tenantId, { sha256: 'a'.repeat(64) });
    expect((await put(upload.url, 'hello')).status).toBe(422);
    await expect(resolveUpload(depsAt(db), tenantId, { uri: upload.uri, pointer: '/source' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('never arrived'),
    });
  });

  test('of bytes that the tenant has sent before is the one that it was, and is kept for longer', async ({ db }) => {
    const [tenantId, other] = [newId('tenant'), newId('tenant')];
    const wanted = { sha256: createHash('sha256').update('hello').digest('hex'), sizeBytes: 5 };
    const make = (aheadMs: number, tenant = tenantId, bytes: NewUpload = wanted) =>
      createUpload(depsAt(db, aheadMs))(tenant, bytes, newId('upload'));
    const unsent = await make(0);
    const sent = await make(0);
    expect([unsent.complete, sent.complete]).toEqual([false, false]);
    await put(sent.url, 'hello');
    await make(0);
    const again = await make(hourMs);
    expect(again).toMatchObject({ id: sent.id, uri: sent.uri, complete: true });
    expect(Date.parse(again.expiresAt) - Date.parse(sent.expiresAt)).toBeGreaterThanOrEqual(hourMs);
    await resolveUpload(depsAt(db, uploadMs + hourMs / 2), tenantId, { uri: sent.uri, pointer: '/source' });
    // A client that does not look sends them again, and finds them as they were.
    expect((await put(again.url, 'hello')).status).toBe(200);

    for (const fresh of [
      await make(0, other),
      await make(0, tenantId, { ...wanted, sizeBytes: 6 }),
      await make(0, tenantId, { sha256: wanted.sha256 }),
      await make(2 * uploadMs),
    ])
      expect(fresh).toMatchObject({ complete: false, id: expect.not.stringMatching(sent.id) });
  });

  test('is as good as none for another tenant', async ({ db, make }) => {
    const upload = await make(newId('tenant'));
    await put(upload.url, 'hello');
    const asked = { uri: upload.uri, pointer: '/source' };
    await expect(resolveUpload(depsAt(db), newId('tenant'), asked)).rejects.toMatchObject({
      code: 'not-found',
      message: `There is no upload ${upload.uri}.`,
    });
    await expect(
      resolveUpload(depsAt(db), newId('tenant'), { ...asked, uri: 'weir://uploads/nonsense' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });

  test('can’t be used before its bytes arrived, after it expired, or with another size than announced', async ({
    db,
    make,
  }) => {
    const tenantId = newId('tenant');
    const [empty, old, short] = [await make(tenantId), await make(tenantId), await make(tenantId)];
    for (const { url } of [old, short]) await put(url, 'hello');
    await db.client.upload.update({ where: { id: short.id }, data: { sizeBytes: 6 } });
    const at = (uri: string) => ({ uri, pointer: '/source' });
    await expect(resolveUpload(depsAt(db), tenantId, at(empty.uri))).rejects.toThrow('never arrived');
    await expect(resolveUpload(depsAt(db, uploadMs + 1), tenantId, at(old.uri))).rejects.toThrow('expired');
    await expect(resolveUpload(depsAt(db), tenantId, at(short.uri))).rejects.toThrow(
      '5 bytes instead of the 6 announced',
    );
  });

  test('that a spec names wrongly is a fault at its place, all of them together', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const [theirs, empty] = [await make(newId('tenant')), await make(tenantId)];
    const spec = {
      name: 'a',
      command: 'true',
      source: theirs.uri,
      inputs: [
        { uri: 'https://example.com/a', path: 'a' },
        { uri: empty.uri, path: 'b' },
      ],
    };
    await expect(requireUploads(depsAt(db), tenantId, spec)).rejects.toMatchObject({
      code: 'invalid',
      faults: [
        { pointer: '/source', detail: `There is no upload ${theirs.uri}.` },
        { pointer: '/inputs/1/uri', detail: expect.stringContaining('never arrived') },
      ],
    });
  });

  test('reaches the runner as a signed URL', async ({ db, make }) => {
    const tenantId = newId('tenant');
    const sha256 = createHash('sha256').update('hello').digest('hex');
    const upload = await make(tenantId, { sha256, sizeBytes: 5 });
    await put(upload.url, 'hello');
    const spec = { name: 'a', command: 'true', source: upload.uri, inputs: [{ uri: 'gs://b/c', path: 'data' }] };
    const { source, inputs, checkpoint } = await createJobDownloads(depsAt(db))({ id: newId('job'), tenantId, spec });
    expect(source).toMatchObject({ sha256, sizeBytes: 5 });
    expect(await (await fetch(source?.url ?? '')).text()).toBe('hello');
    expect([inputs, checkpoint]).toEqual([[{ url: 'gs://b/c', path: 'data', sha256: null, sizeBytes: null }], []]);
  });
});
