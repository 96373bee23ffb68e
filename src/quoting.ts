import { requireArtifactInputs } from './artifacts/job-input.ts';
import { residenceIn } from './artifacts/residence.ts';
import { requireUploads } from './artifacts/upload.ts';
import { allChecked } from './core/errors.ts';
import { createCache } from './core/cache.ts';
import { newId } from './core/ids.ts';
import { createCurrentOffers } from './dispatch/availability.ts';
import { createProspects } from './dispatch/prospects.ts';
import { createQueueOutlook } from './dispatch/queue-outlook.ts';
import { bucketRegionsOf } from './config.ts';
import type { Foundation } from './foundation.ts';
import { createPilots } from './jobs/pilot.ts';
import { createHoldQuote } from './jobs/requote.ts';
import { createOccupancy } from './jobs/sole-tenant.ts';
import { createSubmit } from './jobs/submit.ts';
import type { JobSpec } from './protocol/job-spec.ts';
import { capacitiesOf } from './providers/capacities.ts';
import { createHistory } from './quotes/history.ts';
import { listOffers } from './quotes/offers.ts';
import { createQuoter, type Quoter } from './quotes/quote.ts';
import { createCurrentCatalogue } from './quotes/refresh-prices.ts';
import type { Seller } from './quotes/sellers.ts';
import { insertQuote, requireQuote } from './quotes/store.ts';
import { committedByTenant } from './shares/store.ts';
import { createOutlook } from './shares/outlook.ts';
import { bindingPolicy } from './tenants/lineage.ts';
import { currentLineage, currentPolicies, currentPoolPolicy } from './tenants/policies.ts';
import { requireSecrets } from './tenants/secrets.ts';

/** For quotes and admission. A change made by another process is seen within this; what starts a job reads the policy itself. */
const policyMs = 1_000;

/** Quotes, submissions and pilots: for the API, and for the worker that ends a pilot. */
export function createQuoting(foundation: Foundation) {
  const { config, db, now, providers, wakeDispatch, onError } = foundation;
  const buckets = bucketRegionsOf(config.bucket);
  const lineages = createCache((tenantId) => currentLineage(db.client, tenantId), policyMs, now);
  const policy = (tenantId: string) => lineages.get(tenantId).then(bindingPolicy);
  const sellers = (): Promise<Seller[]> =>
    Promise.all(providers.map(async ({ name, sellables }) => ({ provider: name, sellables: await sellables() })));
  const { quote }: Quoter = createQuoter({
    sellers,
    catalogue: createCurrentCatalogue(db, now),
    history: createHistory(db, now),
    policy,
    share: createOutlook({ db, now, policy, petaflopsPerAccelerator: foundation.petaflopsPerAccelerator }),
    queueWait: createQueueOutlook({ db, now, capacities: () => capacitiesOf(providers) }),
    petaflopsPerAccelerator: foundation.petaflopsPerAccelerator,
    bucketRegion: ({ regions }) => residenceIn(regions, buckets) ?? buckets.home,
    now,
    quoteMs: config.timing.quoteMs,
  });
  const isolating = new Set(providers.filter(({ isolatesTenants }) => isolatesTenants).map(({ name }) => name));
  const capacities = () => capacitiesOf(providers);
  const { prospects, forgetPolicies } = prospectsIn(foundation);
  const submit = createSubmit({
    db,
    now,
    quote: (tenantId, spec) => quote(tenantId, spec, newId('quote')),
    holdQuote: createHoldQuote({
      now,
      quote: (tenantId, spec, measured) => quote(tenantId, spec, newId('quote'), measured),
      requireQuote: (tenantId, quoteId) => requireQuote(db.client, tenantId, quoteId),
      storeQuote: (tenantId, fresh, spec) => insertQuote(db.client, fresh, tenantId, spec),
    }),
    lineage: lineages.get,
    checkReferences: checkReferencesIn(foundation),
    petaflopsPerAccelerator: foundation.petaflopsPerAccelerator,
    prospects,
    ...createOccupancy(db.client, (provider) => isolating.has(provider)),
    wakeDispatch,
  });
  return {
    forgetPolicy: (tenantId: string | null) => {
      if (tenantId !== null) lineages.forget(tenantId);
      forgetPolicies();
    },
    quote,
    offers: createCurrentOffers({
      db,
      now,
      offers: async () => listOffers(await sellers()),
      capacities,
    }),
    submit,
    pilots: createPilots({ db, now, pilotMs: config.timing.pilotMs, submit, quote, onError }),
  };
}

/** The secrets, uploads and artifacts that a spec names. */
function checkReferencesIn({ db, bucket, now }: Foundation) {
  return async (tenantId: string, spec: JobSpec): Promise<void> => {
    await allChecked([
      requireSecrets(db.client, tenantId, spec.secrets ?? []),
      requireUploads({ db, bucket, now }, tenantId, spec),
      requireArtifactInputs(db.client, tenantId, spec),
    ]);
  };
}

function prospectsIn({ db, now, providers, petaflopsPerAccelerator }: Foundation) {
  return createProspects({
    db,
    now,
    capacities: () => capacitiesOf(providers),
    petaflopsPerAccelerator,
    policies: currentPolicies,
    poolPolicy: currentPoolPolicy,
    committed: committedByTenant,
  });
}
