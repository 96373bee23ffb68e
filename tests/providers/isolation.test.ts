import { describeIsolated } from './isolation-guarantees.ts';
import { isRoot } from './local-subject.ts';

// Only root can give a job a uid of its own; what holds without is in needs-bubblewrap.test.ts.
if (isRoot) describeIsolated('user');
