import { chmodSync, copyFileSync, linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startGcpEmulator, type GcpEmulator, type GcpEmulatorOptions } from './gcp/emulator.ts';

export type WeirCloud = GcpEmulator & {
  providers: ReturnType<typeof providersOf>;
  /** A directory with `node` that jobs on the machines can reach, as if it came with their image. */
  programs: string;
};

/** Apart from those that the local provider gives out. */
const firstJobUid = 31_001;

/** The emulator with machines that weir's boot script finds itself at home on, side by side on this one. */
export async function startWeirCloud(options: GcpEmulatorOptions = {}): Promise<WeirCloud> {
  let machines = 0;
  const cloud = await startGcpEmulator({
    ...options,
    machineEnv: (_instance, directory) => ({
      WEIR_ROOT: join(directory, 'state'),
      WEIR_JOB_UID: String(firstJobUid + machines++),
    }),
  });
  const programs = join(cloud.directory, 'programs');
  mkdirSync(programs);
  provide(process.execPath, join(programs, 'node'));
  return Object.assign(cloud, { programs, providers: providersOf(cloud) });
}

/** What goes under `providers` of weir's configuration. */
export function providersOf(cloud: GcpEmulator) {
  return {
    local: { enabled: false },
    gcp: {
      projectId: cloud.project,
      regions: ['us-central1'],
      network: 'default',
      apiEndpoint: cloud.url,
      keyFile: cloud.env.GOOGLE_APPLICATION_CREDENTIALS,
    },
  };
}

function provide(program: string, path: string): void {
  try {
    linkSync(program, path);
  } catch {
    // On another file system.
    copyFileSync(program, path);
  }
  chmodSync(path, 0o755);
}
