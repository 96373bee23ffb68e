import { queries } from '../../api/client.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { PageTitle } from '../../parts/section.tsx';
import { Answered } from '../../parts/states.tsx';
import { Instances } from './instances.tsx';
import { Providers } from './providers.tsx';
import { Quotas } from './quotas.tsx';
import { Shortages } from './shortages.tsx';

/** What there is, what of it is held, and what could not be had. */
export function Capacity() {
  usePageTitle('Capacity');
  const capacity = queries.useQuery('get', '/v1/pool/capacity');
  return (
    <>
      <PageTitle title="Capacity" hint="What there is, what of it is held, and what could not be had." />
      <Answered query={capacity} lines={8}>
        {({ providers, quotas, unknownQuotas, shortages }) => (
          <>
            <Providers providers={providers} />
            <Quotas quotas={quotas} unknown={unknownQuotas} />
            <Shortages shortages={shortages} />
          </>
        )}
      </Answered>
      <Instances />
    </>
  );
}
