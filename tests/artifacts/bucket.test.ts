import { describeBucket } from './bucket-contract.ts';
import { startObjectServer } from './object-server.ts';

describeBucket('file system', startObjectServer);
