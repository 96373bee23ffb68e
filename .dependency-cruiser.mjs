// Imports flow one way: main → http → dispatch → instances → jobs → shares, quotes, artifacts, tenants, logs →
// providers, queue, db → protocol → core. Each rule says why; `npm run imports` checks them.

/** From lowest to highest; folders of one layer may see each other. */
const layers = [
  ['core'],
  ['protocol'],
  ['providers', 'queue', 'db'],
  ['shares', 'quotes', 'artifacts', 'tenants', 'logs', 'webhooks'],
  ['jobs'],
  ['instances'],
  ['dispatch'],
  ['http', 'dashboard'],
];

const folder = (names) => `^src/(${names.join('|')})/`;

/** A layer may see no layer above it, and nobody sees main and what it is made of, which join them. */
const layerRules = layers.map((names, height) => ({
  name: `layer-${names[0]}`,
  comment: `${names.join(', ')} may see only what lies below: main → http → dispatch → instances → jobs → shares, quotes, artifacts, tenants, logs → providers, queue, db → protocol → core.`,
  severity: 'error',
  from: { path: folder(names) },
  to: { path: `${folder([...layers.slice(height + 1).flat(), 'runner'])}|^src/(?!config\\.ts)[^/]+$` },
}));

/** One door for each outside library: who may import it. */
const doors = [
  {
    library: 'fastify',
    packages: ['fastify', '@fastify/[^/]+', 'fastify-[^/]+', '@scalar/[^/]+', 'prom-client'],
    door: '^(src/http/|tests/)',
  },
  { library: 'bullmq', packages: ['bullmq', 'ioredis'], door: '^(src/queue/|tests/)' },
  {
    library: 'prisma',
    packages: ['@prisma/[^/]+', 'prisma', 'pg'],
    door: '^(src/db/|src/queue/backend\\.ts|prisma/|tests/|prisma\\.config\\.ts)',
  },
  {
    library: 'google-auth',
    packages: ['google-auth-library'],
    door: '^(src/quotes/google-prices\\.ts|src/providers/google-auth\\.ts|src/providers/gcp/|tests/)',
  },
  {
    library: 'react',
    packages: ['react', 'react-dom', '@mantine/[^/]+', '@tanstack/[^/]+', 'wouter', 'openapi-react-query'],
    door: '^(src/dashboard/|tests/)',
  },
  { library: 'visx', packages: ['@visx/[^/]+'], door: '^src/dashboard/charts/' },
  { library: 'openid', packages: ['openid-client'], door: '^(src/http/oidc\\.ts|tests/)' },
  { library: 'google-storage', packages: ['@google-cloud/storage'], door: '^(src/artifacts/gcs-bucket\\.ts|tests/)' },
  { library: 'google-compute', packages: ['@google-cloud/(?!storage)[^/]+'], door: '^(src/providers/gcp/|tests/)' },
];

const doorRules = doors.map(({ library, packages, door }) => ({
  name: `one-door-${library}`,
  comment: `${library} is imported through one door, so that it can be replaced: ${door}`,
  severity: 'error',
  from: { path: '^(src|tests|prisma|infra)/', pathNot: door },
  to: { path: `(^|/)node_modules/(${packages.join('|')})/` },
}));

const store = '^src/.*(store|-store)\\.ts$';
const network =
  '^src/(http|queue|runner)/|^src/providers/(?!provider\\.ts)|^src/artifacts/.*bucket|^src/instances/(launch|settle|sweep)\\.ts';

/** Files whose name is a noun or a question: no clock, no database, no provider. */
const pure = [
  'jobs/state',
  'dispatch/(ahead|decide|decisions|describe|exceeded|explain|figures|kept|kept-kinds|lacks|obstacles|order|place|preempt|reservations|room|round|snapshot|state)',
  'dispatch/(hierarchy|limits|capacity)',
  'dispatch/(simulate|simulate-(accounts|bindings|entry|fairness|jobs|machines|outcome|queues|request|sorted|swf|trace|window))',
  'quotes/(work|share|classes|transformer|tuning|memory|telling|predict|overhead|spot|pareto|speed|price|prior|interval|linear-law|progress|forecast|pilot|fingerprint|presets|catalogue|price-list|billing-skus)',
  'shares/(fairness|concentration|peak)',
  'instances/(plan|cost|announcements)',
  'artifacts/names',
  'tenants/lineage',
  'webhooks/(messages|schedule)',
];
const purePath = `^src/(${pure.join('|')})\\.ts$`;

export default {
  forbidden: [
    ...layerRules,
    ...doorRules,
    {
      name: 'prisma-client-in-stores',
      comment: 'Only db and stores speak SQL: what a row means belongs to one file a folder.',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/db/|${store}` },
      to: { path: '^src/db/generated/' },
    },
    {
      name: 'stores-reach-no-network',
      comment: 'A store imports nothing that reaches the network, so no cloud call can happen inside a transaction.',
      severity: 'error',
      from: { path: store },
      to: { path: network, reachable: true },
    },
    {
      name: 'stores-use-no-network-of-node',
      comment: 'A store imports nothing that reaches the network, so no cloud call can happen inside a transaction.',
      severity: 'error',
      from: { path: store },
      to: { path: '^(node:)?(http|https|http2|net|tls|dgram|dns|child_process)(/|$)' },
    },
    {
      name: 'pure-sees-pure',
      comment:
        'A pure file imports pure files, protocol and core: it can be replayed, simulated and tested as a table.',
      severity: 'error',
      from: { path: purePath },
      to: { path: '^src/', pathNot: `${purePath}|^src/(core|protocol)/|^src/providers/provider\\.ts$|\\.json$` },
    },
    {
      name: 'pure-uses-no-machine',
      comment: 'A pure file has no clock, no disk and no network.',
      severity: 'error',
      from: { path: purePath },
      to: { path: '^(node:)?(fs|http|https|net|child_process|timers|os)(/|$)', dependencyTypes: ['core'] },
    },
    {
      name: 'runner-ships-alone',
      comment: 'The runner is shipped as one executable: it sees protocol, core and Node.',
      severity: 'error',
      from: { path: '^src/runner/' },
      to: { path: '^src/', pathNot: '^src/(runner|protocol|core)/' },
    },
    {
      name: 'runner-needs-only-node',
      comment: 'Each package in the runner travels to every machine: Node, and what unpacks an archive.',
      severity: 'error',
      from: { path: '^src/runner/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(tar|@types)/' },
    },
    {
      name: 'cli-is-a-stranger',
      comment: 'The CLI knows weir by its interface only: protocol and core.',
      severity: 'error',
      from: { path: '^infra/cli/' },
      to: { path: '^src/', pathNot: '^src/(protocol|core)/' },
    },
    {
      name: 'dashboard-is-a-stranger',
      comment: 'The dashboard knows weir by its interface only: the generated client, protocol and core.',
      severity: 'error',
      from: { path: '^src/dashboard/' },
      to: { path: '^(src|infra|prisma)/', pathNot: '^(src/(dashboard|protocol|core)|infra/cli/generated)/' },
    },
    {
      name: 'pages-are-apart',
      comment: 'A page of the dashboard is fetched when it is opened: nothing but the list of pages names it.',
      severity: 'error',
      from: { path: '^src/dashboard/(?!pages\\.ts|pages/)' },
      to: { path: '^src/dashboard/pages/' },
    },
    {
      name: 'core-imports-nothing',
      comment: 'core holds words that everyone may use.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    {
      name: 'src-sees-no-tests',
      comment: 'What ships does not need what tests it.',
      severity: 'error',
      from: { path: '^(src|prisma|infra)/' },
      to: { path: '^tests/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'The service runs without the development tools.',
      severity: 'error',
      from: { path: '^(src|prisma)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '(^|/)node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/(db/generated/(internal|models|browser|commonInputTypes)|dashboard/dist/)' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
