import { describeProvider } from './contract.ts';
import { describeIsolated } from './isolation-guarantees.ts';
import { describeLocal } from './local-guarantees.ts';
import { isRoot, openLocal } from './local-subject.ts';

// Root gives each job a uid of its own; without it there is nothing to give on a bare machine.
const isolations = isRoot ? (['user', 'none'] as const) : (['none'] as const);
for (const isolation of isolations) {
  describeProvider(`local, isolation ${isolation}`, () => openLocal(isolation));
  describeLocal(isolation);
}
if (isRoot) describeIsolated('user');
