import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Boot } from '../../src/protocol/runner.ts';
import { containersOf, publishImage, type ContainerImage } from '../support/container-image.ts';
import { assignmentOf, startFakeBroker } from '../support/fake-broker.ts';
import { isRoot, reportOf, runJob, startJob, startRunner } from '../support/runner-process.ts';
import { waitFor } from '../support/wait.ts';

const uid = isRoot ? 61_236 : null;
const boot: Partial<Boot> = { isolation: uid === null ? { kind: 'none' } : { kind: 'user', uid } };
const limits = { cpus: 1, memoryBytes: 200e6, diskBytes: 1e9, gpus: [] };

let image: ContainerImage;
beforeAll(async () => {
  image = await publishImage();
});
// Each test ends with its runner: nothing of it may be left with the engine.
afterAll(async () => {
  const left = await containersOf(image.name);
  await image.remove();
  expect(left).toEqual([]);
});

const job = (command: string | string[], more: object = {}) => ({
  spec: { name: 'a', command, image: image.name, ...more },
});

test('the job has its environment, its secret, its directory, a /tmp that its setup shares, and a uid with no rights', async () => {
  const greeting = { GREETING: 'it\'s "fine" $HOME', LINES: 'one\ntwo', LONG: 'x'.repeat(70_000) };
  const { broker, report, runner } = await runJob(
    {
      ...job(
        [
          'echo "$GREETING"; echo "$LINES"; echo ${#LONG}; echo "$PATH"; test "$PWD" = "$HOME" && echo at home; cat /tmp/file',
          'id -u; id -G; grep -E "NoNewPrivs|CapEff" /proc/self/status; df /dev/shm | grep -c shm',
          'touch /open/file 2>/dev/null || echo read-only; mkdir out; echo made > out/made; echo "token $TOKEN" >&2',
        ].join('; '),
        { setup: 'echo set up > /tmp/file', env: greeting, outputs: ['out/'] },
      ),
      secrets: { TOKEN: 'swordfish-1234' },
    },
    { ...boot, env: { LANG: 'C' } },
  );
  const user = String(uid ?? process.getuid?.());
  expect(report).toMatchObject({ reason: 'completed', exitCode: 0 });
  const said = ['it\'s "fine" $HOME', 'one', 'two', '70000', expect.stringContaining('/bin'), 'at home', 'set up'];
  expect(broker.texts('o').slice(0, 7)).toEqual(said);
  expect(broker.texts('o').slice(7)).toEqual(
    expect.arrayContaining([user, 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1', 'read-only']),
  );
  expect(broker.texts('e')).toEqual([expect.stringMatching(/^token (?!.*swordfish)/)]);
  expect(statSync(join(runner.boot.workDir, 'out/made')).uid).toBe(Number(user));
  expect([...broker.uploads.values()].map(({ path, isComplete }) => [path, isComplete])).toEqual([['out/made', true]]);
});

test.concurrent.each([
  ['exit 3', { reason: 'exit-code', exitCode: 3 }, /exit code 3/],
  ['kill -SEGV $$', { reason: 'signal', exitCode: null }, /SIGSEGV/],
  ['nosuchprogram', { reason: 'command-not-found', exitCode: 127 }, /nosuchprogram/],
  [['/no/such/program'], { reason: 'command-not-found', exitCode: 127 }, /\/no\/such\/program/],
  ['dd if=/dev/zero of=/dev/null bs=400M count=1 2>/dev/null', { reason: 'out-of-memory' }, /of its 191 MiB of memory/],
])('`%s` ends as outside', async (command, ending, message) => {
  const { report } = await runJob({ ...job(command), limits }, boot);
  expect(report).toMatchObject(ending);
  expect(report.message).toMatch(message);
});

test('an image that no registry has is told as such', async () => {
  const missing = image.name.replace('weir-test', 'no-such');
  const { report } = await runJob({ spec: { name: 'a', command: 'true', image: missing } }, boot);
  expect(report).toMatchObject({ reason: 'image-unavailable', message: expect.stringContaining(missing) });
});

test('broker’s files, the runner’s state, other processes and the engine are not in sight', async () => {
  const other = mkdtempSync(join(tmpdir(), 'weir-other-'));
  onTestFinished(() => rmSync(other, { recursive: true }));
  writeFileSync(join(other, 'operator.key'), 'secret', { mode: 0o644 });
  const { broker, runner } = await startJob(
    job(
      'while ! test -s paths; do sleep 0.1; done; for path in $(cat paths); do test -e "$path" && echo "seen $path"; done; ps | wc -l; env',
    ),
    boot,
  );
  await waitFor('the working directory', () => statSync(runner.boot.workDir, { throwIfNoEntry: false }) !== undefined);
  const paths = [other, runner.boot.stateDir, runner.bootPath, `/proc/${runner.pid}`, '/var/run/docker.sock', '/run'];
  writeFileSync(join(runner.boot.workDir, 'paths'), paths.join('\n'));
  await reportOf(broker, runner);
  const [processes, ...environment] = broker.texts('o');
  expect(Number(processes)).toBeLessThan(8);
  expect(environment.filter((line) => /DATABASE|OPERATOR|BOOT|DOCKER/.test(line))).toEqual([]);
});

test('the job gets SIGTERM once and its grace, and is killed after it', async () => {
  const { broker, runner } = await startJob(
    job(
      "trap 'echo saving; sleep 0.2; echo saved; trap : TERM; while true; do sleep 0.05; done' TERM; setsid sleep 301 & echo up; while true; do sleep 0.05; done",
    ),
    boot,
  );
  await waitFor('the job', () => broker.texts().includes('up'));
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect((await reportOf(broker, runner)).reason).toBe('stopped');
  expect(broker.texts('o')).toEqual(['up', 'saving', 'saved']);
});

test('a job that is stopped while the engine still makes its container never runs on', async () => {
  const { broker, runner } = await startJob({ ...job('echo up; sleep 303'), graceSeconds: 0.1 }, boot);
  await waitFor('the engine to be asked', () =>
    statSync(join(runner.boot.stateDir, 'job.json'), { throwIfNoEntry: false }),
  );
  broker.directive = { directive: 'stop', reason: 'cancelled', rendezvous: null };
  expect((await reportOf(broker, runner)).reason).toBe('stopped');
});

test('the nodes of a gang reach each other', async () => {
  const broker = await startFakeBroker(
    assignmentOf({ ...job('nc -l -p $MASTER_PORT -e echo hello of $NODE_RANK'), nodes: 2 }),
  );
  onTestFinished(broker.goAway);
  const first = await startRunner(broker.url(), { boot });
  const { port } = await waitFor('the claim', () => broker.claims[0]);
  const rendezvous = [
    { address: '127.0.0.1', port },
    { address: '127.0.0.1', port: port + 1 },
  ];
  broker.directive = { directive: 'continue', reason: null, rendezvous };
  const listen = 'while ! nc $MASTER_ADDR $MASTER_PORT 2>/dev/null; do sleep 0.1; done';
  const second = await startJob({ ...job(listen), node: 1, nodes: 2, rendezvous }, boot);
  await Promise.all([reportOf(second.broker, second.runner), reportOf(broker, first)]);
  expect(second.broker.texts('o')).toEqual(['hello of 0']);
});
