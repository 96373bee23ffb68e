import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createInstallation, ended, operatorKey, type Client, type Installation } from '../support/service.ts';
import { processesOf } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

const isRoot = process.getuid?.() === 0;
const resources = { cpus: 0.25, memoryGiB: 0.25, diskGiB: 0.25 };
const secretOfBob = 'swordfish-of-bob';

async function open(isolation: string): Promise<Installation> {
  const installation = await createInstallation({ config: { providers: { local: { isolation, cpus: 2 } } } });
  onTestFinished(installation.remove);
  return installation;
}

// The best there is, and as root also what there is without bubblewrap.
test.each(isRoot ? ['auto', 'user'] : ['auto'])(
  'under isolation %s a job gets at nothing of weir and nothing of another tenant',
  async (isolation) => {
    const installation = await open(isolation);
    const service = await installation.start();
    const alice = await installation.tenant('alice');
    const bob = await installation.tenant('bob');
    if (service.output().includes('NOT kept apart')) return expectOneTenant(alice, bob);

    const victim = await startVictim(bob);
    const { dataDir } = installation;
    const places = await lookAround(dataDir, service.pid);
    const { id } = await alice.submit({
      name: 'thief',
      command: 'sh steal.sh; node knock.cjs',
      files: { 'steal.sh': stealing(dataDir, places), 'knock.cjs': knocking(places.databasePort) },
      resources,
    });
    expect(await alice.until(id, ended)).toMatchObject({ state: 'succeeded' });

    const said = (await alice.log(id)).map(({ text }) => text);
    expect(said).toContain('tried all files and processes');
    expect(said.filter((text) => text.startsWith('got '))).toEqual([]);
    expect(said).toContain('database: asks for a password');
    // Only root can bar the metadata address, and weir says at start where it is not.
    expect(said.includes('metadata: no answer') || service.output().includes('metadata address')).toBe(true);
    const secretKey = (await readFile(join(dataDir, 'secret.key'), 'utf8')).trim();
    const text = said.join('\n');
    for (const secret of [operatorKey, secretKey, places.databasePassword, secretOfBob, places.runnerToken])
      expect(text).not.toContain(secret);

    // Nor has it disturbed anything.
    expect(await readFile(join(places.workDir, 'private'), 'utf8')).toBe(`${secretOfBob}\n`);
    expect((await bob.job(victim)).state).toBe('running');
    expect((await fetch(`${installation.url}/readyz`)).status).toBe(200);
  },
);

test('where jobs cannot be kept apart, the first tenant to submit is the only one', async () => {
  const installation = await open('none');
  const service = await installation.start();
  expect(service.output()).toContain('NOT kept apart');
  await expectOneTenant(await installation.tenant('alice'), await installation.tenant('bob'));
});

/** It sees nothing of weir's environment, though it could read all of weir's files. */
async function expectOneTenant(first: Client, second: Client): Promise<void> {
  const spec = { name: 'only', command: 'env', resources };
  const { id } = await first.submit(spec);
  const refused = await second.call('POST', '/v1/jobs', spec);
  expect(refused).toMatchObject({ status: 422, body: { type: expect.stringMatching(/\/can-never-start$/) } });
  expect(refused.body).toMatchObject({ blockers: expect.any(Array), detail: expect.stringContaining('tenant') });
  expect((await first.until(id, ended)).state).toBe('succeeded');
  const names = (await first.log(id)).map(({ text }) => text.split('=')[0] ?? '');
  expect(names).toContain('WEIR_JOB_ID');
  expect(names.filter((name) => /DATABASE|REDIS|WEIR_(OPERATOR|SECRET|CONFIG|DATA|PORT)|TOKEN/.test(name))).toEqual([]);
  expect((await first.submit(spec)).state).toBe('queued');
}

/** A careless job that holds a secret, in its environment and in a file that it lets everyone read. */
async function startVictim(bob: Client): Promise<string> {
  await bob.call('PUT', `/v1/tenants/${bob.tenantId}/secrets/TOKEN`, { value: secretOfBob });
  const command = 'echo "$TOKEN" > private; chmod 777 . private; echo ready; exec sleep 600';
  const { id } = await bob.submit({ name: 'victim', command, secrets: ['TOKEN'], resources });
  await waitFor('the victim', async () => (await bob.log(id)).some(({ text }) => text === 'ready'));
  return id;
}

type Places = Awaited<ReturnType<typeof lookAround>>;

/** What the thief would have to find out: it is told, so that nothing is safe by being unknown. */
async function lookAround(dataDir: string, brokerPid: number) {
  const [name = ''] = await readdir(join(dataDir, 'instances'));
  const instance = join(dataDir, 'instances', name);
  const record = JSON.parse(await readFile(join(instance, 'instance.json'), 'utf8')) as { workDir: string };
  const workDir = join(record.workDir, 'work');
  // Of the runner, by which it speaks for the attempt.
  const token = (await readFile(join(instance, 'state/token'), 'utf8')).trim();
  const { port, password } = JSON.parse(await readFile(join(dataDir, 'postgres/settings.json'), 'utf8')) as {
    port: number;
    password: string;
  };
  const runnerPids = processesOf(instance).map(({ pid }) => pid);
  expect(runnerPids).not.toEqual([]);
  return {
    workDir,
    instance,
    databasePort: port,
    databasePassword: password,
    runnerToken: token,
    pids: [brokerPid, ...runnerPids, ...processesOf(workDir).map(({ pid }) => pid)],
  };
}

/** Says what it got of each; also the environment of whatever process it can see. */
function stealing(dataDir: string, { workDir, instance, pids }: Places): string {
  const paths = [
    `${dataDir}/operator.key`,
    `${dataDir}/secret.key`,
    `${dataDir}/postgres/settings.json`,
    `${dataDir}/postgres/data/PG_VERSION`,
    `${instance}/instance.json`,
    `${instance}/state/token`,
    `${instance}/state/job.json`,
    `${workDir}/private`,
  ];
  const ofWeir = ['buckets', 'instances', 'postgres'].map((name) => `${dataDir}/${name}`);
  const directories = [...ofWeir, instance, `${instance}/state`, workDir, `${workDir}/..`];
  const processes = [...new Set(pids)].map((pid) => `/proc/${pid}`);
  const commands = [
    ...paths.map((path) => `cat ${path}`),
    ...[...directories, ...processes.flatMap((of) => [`${of}/fd`, `${of}/cwd/`, `${of}/root/`])].map(
      (of) => `ls ${of}`,
    ),
    // Opening its memory asks for what ptrace asks.
    ...processes.flatMap((of) => [`cat ${of}/environ`, `head -c 1 ${of}/mem`, `cat ${of}/maps`]),
    ...pids.map((pid) => `kill -0 ${pid} && echo could be killed`),
    `echo stolen > ${workDir}/private`,
  ];
  return [
    'try() { got=$(sh -c "$1" 2>/dev/null | tr -d "\\0" | head -c 200); if [ -n "$got" ]; then echo "got $1: $got"; fi; }',
    ...commands.map((command) => `try '${command}'`),
    `for of in /proc/[0-9]*; do cat $of/environ $of/cmdline 2>/dev/null | tr '\\0' ' '; done; echo`,
    'echo tried all files and processes',
  ].join('\n');
}

/** Greets the database as PostgreSQL's protocol has it, without a password, and asks the metadata server. */
function knocking(databasePort: number): string {
  return `
const net = require('node:net');
const startup = Buffer.from('\\0\\0\\0\\0\\0\\x03\\0\\0user\\0weir\\0database\\0postgres\\0\\0', 'latin1');
startup.writeInt32BE(startup.length, 0);
const database = net.connect(${databasePort}, '127.0.0.1', () => database.write(startup));
database.on('error', () => {}).once('data', (answer) => {
  const isAsking = answer[0] === 0x52 && answer.readInt32BE(5) === 10;
  console.log(isAsking ? 'database: asks for a password' : 'got ' + answer.toString('latin1'));
  database.destroy();
});
const metadata = net.connect(80, '169.254.169.254');
metadata.setTimeout(2000, () => metadata.destroy(new Error('timeout')));
metadata.on('connect', () => console.log('metadata: reached')).on('error', () => console.log('metadata: no answer'));
metadata.on('connect', () => metadata.destroy());`;
}
