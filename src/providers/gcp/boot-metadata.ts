import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Boot } from '../../protocol/runner.ts';
import type { InstanceRequest, RunnerExecutable } from '../provider.ts';

const script = readFileSync(join(import.meta.dirname, 'boot.sh'), 'utf8');

/** What only the machine knows; boot.sh puts it in the place of these. */
const placeholders = {
  token: '@TOKEN@',
  address: '@ADDRESS@',
  metadataHost: '@METADATA@',
  root: '@ROOT@',
  isolation: '@ISOLATION@',
  environment: '@ENVIRONMENT@',
};

/** A machine's metadata: boot.sh and what it reads. `isSlice`: the same for all hosts of a slice. */
export function bootMetadata(
  { brokerUrl, gang, image }: InstanceRequest,
  runner: RunnerExecutable,
  isSlice: boolean,
): Record<string, string> {
  const boot = {
    brokerUrl,
    bootstrapToken: placeholders.token,
    stateDir: `${placeholders.root}/state`,
    workDir: `${placeholders.root}/work`,
    tmpDir: `${placeholders.root}/tmp`,
    hidden: [],
    address: placeholders.address,
    toolDirs: [],
    ownsMachine: true,
    metadataHost: placeholders.metadataHost,
  } satisfies Omit<Boot, 'isolation' | 'env'>;
  // A machine learns its own token alone; the hosts of a slice can't be told apart before they run.
  const tokens = isSlice ? gang.bootstrapTokens : [gang.bootstrapTokens[gang.node] ?? ''];
  return {
    'startup-script': script,
    'weir-broker-url': brokerUrl,
    'weir-node': isSlice ? 'slice' : '0',
    'weir-bootstrap-tokens': `${tokens.join('\n')}\n`,
    'weir-boot': JSON.stringify({ ...boot, isolation: placeholders.isolation, env: placeholders.environment }),
    'weir-image': image ?? '',
    'weir-runner-url': runner.url,
    'weir-runner-sha256': runner.sha256,
  };
}
