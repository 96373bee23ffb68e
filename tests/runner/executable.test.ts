import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRunnerPublisher } from '../../src/artifacts/runner-executable.ts';
import { startObjectServer } from '../artifacts/object-server.ts';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { runnerExecutable } from '../support/runner-executable.ts';
import { reportOf, startRunner } from '../support/runner-process.ts';

test('the runner as one executable runs a job, without Node and without its sources', async () => {
  const { path } = await runnerExecutable();
  const broker = await startFakeBroker(assignmentOf({ spec: { name: 'one', command: 'echo from one file' } }));
  const runner = await startRunner(broker.url(), { executable: path, env: { PATH: '/usr/bin:/bin' } });
  expect(await reportOf(broker, runner)).toMatchObject({ reason: 'completed', exitCode: 0 });
  expect(broker.texts('o')).toEqual(['from one file']);
  await broker.goAway();
}, 120_000);

test('the executable is put into the bucket once, under the name of its content, and served as it was built', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-built-'));
  const server = await startObjectServer();
  const build = async (program: string): Promise<string> => {
    const sha256 = createHash('sha256').update(program).digest('hex');
    await writeFile(join(directory, 'weir-runner'), program);
    await writeFile(join(directory, 'weir-runner.json'), JSON.stringify({ sha256 }));
    return sha256;
  };
  const publisher = () => createRunnerPublisher({ bucket: server.bucket, directory, now: () => new Date() });
  try {
    await expect(publisher()()).rejects.toThrow('npm run runner:build');
    const first = await build('program 1');
    const { url, sha256 } = await publisher()();
    expect(sha256).toBe(first);
    const { md5 } = (await server.bucket.stat(`runners/${first}`)) ?? {};
    expect(md5).toBe(createHash('md5').update('program 1').digest('hex'));
    expect(await (await fetch(url)).text()).toBe('program 1');

    // Another process of the same version finds it there; the next version has a name of its own.
    await rm(join(directory, 'weir-runner'));
    expect((await publisher()()).sha256).toBe(first);
    expect((await publisher()()).sha256).not.toBe(await build('program 2'));
    const [old, next] = [await fetch(url), await fetch((await publisher()()).url)];
    expect([await old.text(), await next.text()]).toEqual(['program 1', 'program 2']);
    await writeFile(join(directory, 'weir-runner'), 'damaged');
    await writeFile(join(directory, 'weir-runner.json'), JSON.stringify({ sha256: '0'.repeat(64) }));
    await expect(publisher()()).rejects.toThrow('is not the one that was built');
  } finally {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  }
});
