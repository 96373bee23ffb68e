import { WeirError } from '../core/errors.ts';
import { openGoogleAuth } from '../providers/google-auth.ts';
import { pricesOf, type Sku } from './billing-skus.ts';
import type { ListedPrice } from './price-list.ts';

export type GooglePriceOptions = {
  /** A service account's key; left out: the application default credentials. */
  keyFile?: string | undefined;
  /** For an emulator, which is asked without credentials. */
  apiEndpoint?: string | undefined;
};

const scope = 'https://www.googleapis.com/auth/cloud-billing.readonly';
const googleEndpoint = 'https://cloudbilling.googleapis.com';

/** Compute Engine, as the catalogue of services names it. */
const computeEngine = 'services/6F81-5844-456A';

/** The most that the API gives at once; Compute Engine has some 40,000 SKUs. */
const pageSize = 5000;

/** A list so long would be one that repeats itself. */
const mostPages = 100;

const timeoutMs = 60_000;

type Page = { skus?: Sku[]; nextPageToken?: string };

/**
 * Today's price of every machine of the catalogue, from the Cloud Billing Catalog API.
 * @throws WeirError `unavailable` where Google does not answer as described, or prices nothing that we know.
 */
export async function readGooglePrices(options: GooglePriceOptions): Promise<ListedPrice[]> {
  const get = await openClient(options);
  const skus: Sku[] = [];
  let pageToken = '';
  for (let page = 0; page < mostPages; page++) {
    const query = new URLSearchParams({ pageSize: String(pageSize), currencyCode: 'USD', pageToken });
    const answer = await get(`${options.apiEndpoint ?? googleEndpoint}/v1/${computeEngine}/skus?${query}`);
    skus.push(...(answer.skus ?? []));
    pageToken = answer.nextPageToken ?? '';
    if (pageToken === '') return checked(pricesOf(skus));
  }
  throw new WeirError('unavailable', `Google's price list does not end after ${mostPages} pages.`);
}

/** An empty list is an interface that changed, not a cloud that sells nothing. */
function checked(prices: ListedPrice[]): ListedPrice[] {
  if (prices.length > 0) return prices;
  throw new WeirError(
    'unavailable',
    "Google's price list has no machine of the catalogue in it: its SKUs have changed.",
  );
}

async function openClient({ keyFile, apiEndpoint }: GooglePriceOptions): Promise<(url: string) => Promise<Page>> {
  // It takes its time to load, and few processes ever ask.
  const { PassThroughClient } = await import('google-auth-library');
  const isEmulator = apiEndpoint !== undefined && keyFile === undefined;
  const client = isEmulator
    ? new PassThroughClient()
    : await (await openGoogleAuth({ keyFile, scopes: [scope] })).getClient();
  return async (url) => {
    // The queue tries again, later than the client would.
    try {
      const { data } = await client.request<Page>({ url, timeout: timeoutMs, responseType: 'json', retry: false });
      return data;
    } catch (cause) {
      throw new WeirError('unavailable', "Google's price list could not be read.", { cause });
    }
  };
}
