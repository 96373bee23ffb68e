import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { createFilesystemBucket } from '../artifacts/filesystem-bucket.ts';
import { openDatabase } from '../db/database.ts';
import { createApp, type AppDeps } from './app.ts';
import { openApiOf } from './openapi.ts';

/** What `openapi.yaml` holds: the specification of the API, told by its own routes without serving them. */
export async function writeSpecification(): Promise<string> {
  const app = await createApp(unused());
  await app.ready();
  const document = openApiOf(app);
  await app.close();
  return `# Written by \`npm run openapi\` from the schemas in src/protocol and src/http/routes.\n${stringify(document, { lineWidth: 130, aliasDuplicateObjects: false })}`;
}

/** Nothing here is reached: no connection is opened and no file touched before a request comes. */
function unused(): AppDeps {
  const never = (): never => {
    throw new Error('This application only describes itself.');
  };
  const now = () => new Date();
  const secretKey = randomBytes(32);
  const publicUrl = 'http://127.0.0.1';
  return {
    publicUrl,
    secretKey,
    now,
    db: openDatabase('postgresql://127.0.0.1:1/unused'),
    bucket: createFilesystemBucket({ directory: tmpdir(), publicUrl, secretKey, now }),
    filesystemBucket: undefined,
    logger: pino({ level: 'silent' }),
    operatorKey: '',
    metrics: new Registry(),
    sessionMs: 0,
    oidc: undefined,
    poolCapacity: never,
    readQuotas: never,
    checks: { database: never, queue: never, objectStore: never },
    wakeups: { watch: never },
    providerNames: [],
    firstPolicy: undefined,
    bucketRegions: { home: null, elsewhere: [] },
    residence: never,
    forgetPolicy: never,
    uploadMs: 0,
    downloadMs: 0,
    petaflopsPerAccelerator: never,
    backlog: never,
    dataDir: tmpdir(),
    quote: never,
    pilots: { start: never },
    offers: never,
    submit: never,
    cancel: never,
    replay: never,
    bootStage: never,
    claim: never,
    heartbeat: never,
    report: never,
  };
}
