import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { waitFor } from './wait.ts';

const execute = promisify(execFile);
const applets = 'cat dd df echo env grep head id ls mkdir nc ps readlink rm setsid sh sleep test touch true wc wget';

export type ContainerImage = { name: string; remove: () => Promise<void> };

/**
 * An image of busybox in a registry of its own, for the engine that runs here to pull. Needs Debian's docker.io,
 * docker-registry and busybox-static.
 */
export async function publishImage(): Promise<ContainerImage> {
  await execute('docker', ['version']).catch((error: Error) => {
    throw new Error(
      `No container engine answers; .ci/run shows how to start one, \`npm test\` needs none: ${error.message}`,
    );
  });
  const directory = await mkdtemp(join(tmpdir(), 'weir-image-'));
  const port = await freePort();
  const name = `127.0.0.1:${port}/weir-test:1`;
  await execute('docker', ['import', await archiveOfBusybox(directory), name]);
  const registry = await startRegistry(directory, port);
  await execute('docker', ['push', '--quiet', name]);
  const forget = () => execute('docker', ['image', 'rm', '--force', name]).catch(() => undefined);
  await forget();
  return {
    name,
    remove: async () => {
      registry.kill();
      await once(registry, 'exit');
      await forget();
      await rm(directory, { recursive: true });
    },
  };
}

async function archiveOfBusybox(directory: string): Promise<string> {
  const root = join(directory, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'open'));
  await chmod(join(root, 'open'), 0o777);
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of applets.split(' ')) await symlink('busybox', join(root, 'bin', applet));
  await execute('tar', ['-C', root, '-cf', join(directory, 'image.tar'), '.']);
  return join(directory, 'image.tar');
}

async function startRegistry(directory: string, port: number) {
  const config = join(directory, 'registry.json');
  const storage = { filesystem: { rootdirectory: join(directory, 'registry') } };
  await writeFile(
    config,
    JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: `127.0.0.1:${port}` } }),
  );
  const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  registry.on('error', () => undefined);
  await waitFor('the registry', () =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return registry;
}

/** What the engine knows of containers that weir made, ended ones too. */
export async function containersOf(image: string): Promise<string[]> {
  const { stdout } = await execute('docker', ['ps', '--all', '--quiet', '--filter', `ancestor=${image}`]);
  return stdout.split('\n').filter((id) => id !== '');
}
