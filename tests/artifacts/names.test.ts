import { expect, test } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { artifactUriOf } from '../../src/artifacts/names.ts';

test('an address names an artifact, a folder of them or all; whatever could leave the job’s own names nothing', () => {
  const jobId = newId('job');
  const of = (rest: string) => artifactUriOf(`weir://jobs/${jobId}/artifacts${rest}`)?.path;
  expect(of('/out/model.pt')).toBe('out/model.pt');
  expect(of('/out/')).toBe('out/');
  expect(of('/')).toBe('');
  for (const bad of ['', '/../x', '/a/../b', '//', '/a//', '/./a', '/a/.']) expect(of(bad), bad).toBeUndefined();
  for (const uri of [
    `weir://jobs/${jobId}/logs/a`,
    'weir://jobs/job_1/artifacts/a',
    `https://jobs/${jobId}/artifacts/a`,
  ])
    expect(artifactUriOf(uri), uri).toBeUndefined();
});
