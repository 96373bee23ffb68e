import { createLocalProvider } from '../../src/providers/local/provider.ts';
import type { InstanceRequest } from '../../src/providers/provider.ts';
import { standInRunner } from './local-subject.ts';

/** A weir that makes one machine, says so, and waits to be killed: its arguments are data directory, work directory and request. */
const [dataDir = '', workDir = '', request = ''] = process.argv.slice(2);
const provider = await createLocalProvider({
  dataDir,
  installation: 'test',
  hostId: 'test',
  config: { workDir },
  graceMs: 1_000,
  hostEnv: process.env,
  ownFiles: [],
  onError: () => process.exit(1),
  runnerPath: standInRunner,
});
await provider.create(JSON.parse(request) as InstanceRequest);
process.stdout.write('made\n');
setInterval(() => undefined, 60_000);
