import { execFile } from 'node:child_process';
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { Assignment } from '../protocol/runner.ts';
import { engineEnvironment } from './engine.ts';
import { exportScript, type Launch } from './sandbox.ts';
import { exitOfStatus, Failure, outOfMemory, type Exit } from './verdict.ts';

const run = promisify(execFile);
const answerTimeoutMs = 30_000;
/** An engine reads a file of variables line by line, none longer than 64 KiB. */
const maxFileLineBytes = 60_000;
/** Where in the container a shell reads the variables that such a file can't hold. */
const scriptInside = '/.weir-environment';
/** Of the host's own settings those that name files which the job needs. */
const certificates = /^(SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIP_CERT)$/;

export type ContainerPlan = {
  /** The engine's command. */
  program: string;
  name: string;
  image: string;
  workDir: string;
  /** Becomes /tmp inside: the job's disk is what it may fill, not the engine's. */
  tmpDir: string;
  /** The runner's own: here the engine reads the environment, since its command line can be read by all. */
  stateDir: string;
  uid: number;
  limits: Assignment['limits'];
  /** Those of the job's TPU; what belongs to its GPUs the engine brings. */
  devices: string[];
  /** The host's settings, as the job has them. */
  hostEnv: Record<string, string>;
};

/** One command in a container. The engine starts it: its processes are no children of the runner's. */
export type Container = {
  launch: Launch;
  /** What the provider removes should the runner be killed. */
  engine: { program: string; name: string };
  /** The engine's id, by which the control groups of its processes are named. Undefined until the engine has made it. */
  id: () => string | undefined;
  /** How the command ended, from what the engine's client ended with and what the engine tells. */
  exitOf: (client: Exit) => Promise<Exit>;
  /** Ends all that runs in it and removes it; nothing where it is gone. */
  remove: () => Promise<void>;
};

export function createContainer(plan: ContainerPlan, command: string[], env: Record<string, string>): Container {
  const { program, name } = plan;
  const environmentPath = `${plan.stateDir}/container.env`;
  const scriptPath = `${plan.stateDir}/container.sh`;
  const idPath = `${plan.stateDir}/container.id`;
  rmSync(idPath, { force: true });
  const rest = writeEnvironment(environmentPath, env);
  const isScripted = Object.keys(rest).length > 0;
  if (isScripted) writeScript(scriptPath, rest, plan.uid);
  const ask = (...args: string[]) => run(program, args, { env: engineEnvironment, timeout: answerTimeoutMs });
  return {
    launch: {
      argv: [
        program, 'run', '--name', name, '--cidfile', idPath,
        '--env-file', environmentPath,
        ...(isScripted ? ['--mount', `${mount(scriptPath, scriptInside)},readonly`] : []),
        ...confinement(plan),
        '--', plan.image, ...(isScripted ? ['/bin/sh', '-c', `. ${scriptInside}; exec "$@"`, 'weir'] : []), ...command,
      ],
      // The engine's client runs with the runner's rights: nothing of a tenant's may lead it.
      env: engineEnvironment,
      cwd: '/',
      uid: undefined,
      environmentScript: undefined,
    }, // prettier-ignore
    engine: { program, name },
    id: () => (existsSync(idPath) ? readFileSync(idPath, 'utf8') : undefined) || undefined,
    exitOf: async (client) => {
      const told = await ask('inspect', '--format', '{{.State.StartedAt}} {{.State.OOMKilled}}', name).catch(
        () => undefined,
      );
      const [startedAt = '', isOutOfMemory] = told?.stdout.trim().split(' ') ?? [];
      if (isOutOfMemory === 'true') return { ...client, failure: outOfMemory(plan.limits.memoryBytes) };
      // Of a container that never started, the engine tells the year 1.
      const hasStarted = startedAt !== '' && !startedAt.startsWith('0001-');
      return hasStarted && client.code !== null ? exitOfStatus(client.code) : notStarted(client);
    },
    remove: async () => {
      await ask('rm', '--force', '--volumes', name).catch(() => undefined);
      for (const path of [environmentPath, scriptPath]) rmSync(path, { force: true });
    },
  };
}

/** What the engine is told of limits and of what the job may see. */
function confinement(plan: ContainerPlan): string[] {
  const { limits, workDir, tmpDir, hostEnv, uid } = plan;
  const cpus = Math.min(limits.cpus, availableParallelism());
  const shown = Object.entries(hostEnv).filter(([name, path]) => certificates.test(name) && existsSync(path));
  return [
    // The runner reads its output as it comes. The engine would keep it once more, unmasked and without end.
    '--log-driver', 'none', '--init', '--sig-proxy=false',
    '--user', `${uid}:${uid}`, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges',
    // As other jobs have it. A network of the engine's own would lead round the rule that bars the metadata address.
    '--network', 'host',
    '--memory', String(limits.memoryBytes), '--memory-swap', String(limits.memoryBytes), '--cpus', String(cpus),
    '--shm-size', String(limits.memoryBytes),
    '--read-only', ...[[workDir, workDir], [tmpDir, '/tmp'], [tmpDir, '/var/tmp']].flatMap(([source = '', target = '']) => ['--mount', mount(source, target)]),
    ...shown.flatMap(([, path]) => ['--mount', `${mount(path, path)},readonly`]),
    '--workdir', workDir,
    ...accelerators(plan),
  ]; // prettier-ignore
}

/** NVIDIA's toolkit brings what belongs to a GPU; of a TPU the device is enough. Both lock the memory that they read. */
function accelerators({ limits: { gpus }, devices }: ContainerPlan): string[] {
  return [
    ...devices.flatMap((device) => ['--device', device]),
    ...(gpus.length === 0 ? [] : ['--gpus', `"device=${gpus.join(',')}"`]),
    ...(gpus.length === 0 && devices.length === 0 ? [] : ['--ulimit', 'memlock=-1']),
  ];
}

/** As a line of comma-separated values, which a path may well need. */
function mount(source: string, target: string): string {
  const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return ['type=bind', quoted(`source=${source}`), quoted(`target=${target}`)].join(',');
}

/** Writes what fits into a file of one variable a line; answers the others. */
function writeEnvironment(path: string, env: Record<string, string>): Record<string, string> {
  // The image's own PATH leads to what the image is for.
  const values = Object.entries(env).filter(([name]) => name !== 'PATH');
  const fits = ([, value]: [string, string]) => !/[\r\n]/.test(value) && Buffer.byteLength(value) < maxFileLineBytes;
  const lines = values.filter(fits).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
  return Object.fromEntries(values.filter((entry) => !fits(entry)));
}

/** What no line of a file can hold, such as a private key, the job's own shell exports. */
function writeScript(path: string, env: Record<string, string>, uid: number): void {
  writeFileSync(path, exportScript(env), { mode: 0o600 });
  chownSync(path, uid, -1);
}

/** Of a command that an image lacks, the engine's first process tells like a shell. So what never ran is the engine's fault. */
function notStarted(client: Exit): Exit {
  return {
    ...client,
    failure: new Failure(
      'isolation-unavailable',
      'The container engine of this machine could not start the job; the end of the log says why. The operator has to mend it.',
    ),
  };
}
