import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sku } from '../../src/quotes/billing-skus.ts';

/** A SKU as services.skus.list describes it. */
export function sku(description: string, usd: number, more: Partial<Sku> & { usageType?: string } = {}): Sku {
  const { usageType = 'OnDemand', ...rest } = more;
  const units = Math.floor(usd);
  const unitPrice = { currencyCode: 'USD', units: String(units), nanos: Math.round((usd - units) * 1e9) };
  return {
    description,
    category: { resourceFamily: 'Compute', usageType },
    serviceRegions: ['us-central1'],
    pricingInfo: [
      {
        pricingExpression: {
          usageUnit: description.includes('Ram') ? 'GiBy.h' : description.includes('Storage') ? 'GiBy.mo' : 'h',
          tieredRates: [{ unitPrice }],
        },
      },
    ],
    ...rest,
  };
}

export type BillingServer = { apiEndpoint: string; asked: string[]; close: () => Promise<void> };

type Answer = (url: URL, response: ServerResponse) => void;

/** Answers `GET /v1/services/…/skus` with one page after another. */
export async function serveBilling(pages: readonly Sku[][]): Promise<BillingServer> {
  return serve((url, response) => {
    const at = Number(url.searchParams.get('pageToken') || 0);
    const nextPageToken = at + 1 < pages.length ? String(at + 1) : '';
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ skus: pages[at], nextPageToken }));
  });
}

/** Answers as told. */
export async function serve(answer: Answer): Promise<BillingServer> {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    asked.push(`${url.pathname}?pageToken=${url.searchParams.get('pageToken')}`);
    answer(url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    apiEndpoint: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** What a3-highgpu, a2-ultragpu and n1 with T4 are made of in one region, and what is sold under other terms. */
export const usualSkus: Sku[] = [
  sku('A3 Instance Core running in Americas', 0.03),
  sku('A3 Instance Ram running in Americas', 0.003),
  sku('Nvidia H100 80GB GPU running in Americas', 10),
  sku('Spot Preemptible A3 Instance Core running in Americas', 0.01, { usageType: 'Preemptible' }),
  sku('Spot Preemptible A3 Instance Ram running in Americas', 0.001, { usageType: 'Preemptible' }),
  sku('Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas', 3, { usageType: 'Preemptible' }),
  sku('Commitment v1: Nvidia H100 80GB GPU running in Americas for 1 Year', 5),
  sku('Reserved Nvidia H100 80GB GPU in Americas in Calendar Mode', 4),
  sku('Nvidia H100 80GB GPU attached to DWS Defined Duration VMs running in Americas', 4.4),
  sku('Nvidia H100 80GB Plus GPU running in Americas', 12),
  sku('A2 Instance Core running in Americas', 0.031611),
  sku('A2 Instance Ram running in Americas', 0.004237),
  sku('Nvidia Tesla A100 80GB GPU running in Americas', 3.92808),
  sku('SSD backed Local Storage', 0.08),
  sku('N1 Predefined Instance Core running in Americas', 0.031611),
  sku('N1 Predefined Instance Ram running in Americas', 0.004237),
  sku('Nvidia Tesla T4 GPU running in Americas', 0.35),
  sku('Nvidia Tesla T4 GPU Virtual Workstation running in Americas', 0.55),
  sku('Network Internet Egress from Americas to Americas', 0.12, {
    category: { resourceFamily: 'Network', usageType: 'OnDemand' },
  }),
];
