/** Where buckets are: that of all tenants, null where it is not known, and those for tenants who may not use it. */
export type BucketRegions = { home: string | null; elsewhere: readonly string[] };

/** The region whose bucket keeps what a tenant stores; null: the home bucket does. */
export type Residence = (tenantId: string) => Promise<string | null>;

/** A tenant that may use any of `allowed` regions, undefined for all: at home where that is one of them, else in the first that has a bucket. */
export function residenceIn(allowed: readonly string[] | undefined, { home, elsewhere }: BucketRegions): string | null {
  if (allowed === undefined || home === null || allowed.includes(home)) return null;
  return elsewhere.find((region) => allowed.includes(region)) ?? null;
}
