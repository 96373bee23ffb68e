import { describeJourneys } from './describe-journeys.ts';

describeJourneys('PostgreSQL', () => undefined);
