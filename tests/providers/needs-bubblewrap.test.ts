import { describeProvider } from './contract.ts';
import { describeLocal } from './local-guarantees.ts';
import { openLocal } from './local-subject.ts';

describeProvider('local, isolation bubblewrap', () => openLocal('bubblewrap'));
describeLocal('bubblewrap');
