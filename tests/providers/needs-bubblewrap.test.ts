import { describeProvider } from './contract.ts';
import { describeLocal } from './local-guarantees.ts';
import { describeIsolated } from './isolation-guarantees.ts';
import { isRoot, openLocal } from './local-subject.ts';

describeProvider('local, isolation bubblewrap', () => openLocal('bubblewrap'));
describeLocal('bubblewrap');
if (isRoot) describeIsolated('bubblewrap');
