/** What Google answered, whichever of its APIs and whichever of their forms: an HTTP error, an operation's, or a state's. */
export type Answer = {
  /** Of HTTP, where there was an answer. */
  status: number | undefined;
  /** Of google.rpc.Code, where one was given. */
  rpcCode: number | undefined;
  /** Such as QUOTA_EXCEEDED; of operations. */
  code: string | undefined;
  message: string;
  /** Of ErrorInfo: `zonesAvailable` and the like. */
  metadata: Record<string, string>;
  quota: { metric: string; limit: number | undefined; dimensions: Record<string, string> } | undefined;
};

/** What it means to us. */
export type Fault =
  | { is: 'stockout'; zonesAvailable: string[] }
  | { is: 'quota'; metric: string; family?: string; limit: number | undefined; region: string | undefined }
  /** `no-addresses`: the subnetwork has none left. `not-ready`: what it is about is being made, or going already. */
  | { is: 'rate' | 'passing' | 'gone' | 'there-already' | 'not-ready' | 'no-addresses' }
  /** An operator has to change something. */
  | { is: 'refused'; because: Refusal };

export type Refusal =
  | 'credentials'
  | 'api-disabled'
  | 'billing'
  | 'permission'
  | 'project'
  | 'zone'
  | 'machine'
  | 'resource'
  | 'request';

const stockoutCodes =
  /^(ZONE|REGION)?_?RESOURCE_POOL_EXHAUSTED(_WITH_DETAILS)?$|STOCKOUT|^insufficientCapacity$|^INSUFFICIENT_CAPACITY$/;
const stockoutTexts =
  /does not have enough resources available|no more capacity|insufficient (reserved )?capacity|stockout|currently unavailable in the \S+ zone|not enough (resources|capacity)|resources? (are )?exhausted in/i;
const quotaCodes = /^(QUOTA_EXCEEDED|quotaExceeded)$/;
const quotaTexts = /quota (limit )?'[^']+' (has been )?(exceeded|exhausted)|exceeded quota|quota .*exceeded/i;
const rateTexts = /rate ?limit|per (user per )?(minute|second|100 seconds)|too many requests|RATE_EXCEEDED/i;

/** What the code alone says, or the words. */
const plain: ['no-addresses' | 'not-ready' | 'rate', codes: RegExp, texts: RegExp][] = [
  ['no-addresses', /^IP_SPACE_EXHAUSTED/, /IP space of .* is exhausted/i],
  ['not-ready', /^(RESOURCE_NOT_READY|resourceNotReady)$/, /the resource '[^']+' is not ready/i],
  ['rate', rateTexts, rateTexts],
];
const disabledTexts = /has not been used in project|it is disabled|SERVICE_DISABLED|accessNotConfigured/i;
const credentialTexts =
  /default credentials|invalid_grant|invalid authentication credential|invalid_client|unable to impersonate|could not refresh access token|unauthenticated|ENOENT/i;

const machineTexts = /machine ?type|acceleratorType|accelerator type|the accelerator \S+ was not found/i;
const zoneTexts = /location \S+ is not found|unknown zone|zones\/[a-z0-9-]+' was not found|for field 'zone'/i;
const projectTexts = /projects?\/[^/']+' was not found|project .*(not found|deleted|suspended)/i;
const permissionCodes = /^(PERMISSIONS_ERROR|IAM_PERMISSION_DENIED|forbidden)$/;
const resourceTexts = /(images|family|networks|subnetworks|serviceAccounts?)[/ ]/i;

/** Each answer that Google documents, and some that it does not, told apart. Pure; tests/providers/gcp/faults.test.ts has the table. */
export function judge(answer: Answer): Fault {
  const { code = '', message } = answer;
  if (stockoutCodes.test(code) || stockoutTexts.test(message)) return stockout(answer);
  const told = plain.find(([, codes, texts]) => codes.test(code) || texts.test(message));
  if (told !== undefined) return { is: told[0] };
  if (quotaCodes.test(code) || answer.quota !== undefined || quotaTexts.test(message)) return quota(answer);
  if (isExhausted(answer)) return { is: 'rate' };
  if (isConflict(answer)) return { is: alreadyExists(answer) ? 'there-already' : 'passing' };
  const refusal = refusals.find(([, isSo]) => isSo(answer));
  if (refusal !== undefined) return { is: 'refused', because: refusal[0] };
  if (isNotFound(answer)) return { is: 'gone' };
  return isOurFault(answer) ? { is: 'refused', because: 'request' } : { is: 'passing' };
}

const isExhausted = ({ status, rpcCode }: Answer) => status === 429 || (status === undefined && rpcCode === 8);
const isNotFound = ({ status, rpcCode }: Answer) => status === 404 || rpcCode === 5;
const isConflict = ({ status, rpcCode, code }: Answer) =>
  status === 409 || rpcCode === 6 || code === 'RESOURCE_ALREADY_EXISTS';
const alreadyExists = ({ message, code }: Answer) =>
  /already exists/i.test(message) || code === 'RESOURCE_ALREADY_EXISTS';
const isServerFault = ({ status }: Answer) => status !== undefined && status >= 500;

function isOurFault({ status, rpcCode }: Answer): boolean {
  if (status === undefined) return rpcCode === 3 || rpcCode === 9;
  return status >= 400 && status < 500 && status !== 408;
}

/** What an operator has to change, the particular before the general. */
const refusals: [Refusal, (answer: Answer) => boolean][] = [
  ['api-disabled', ({ message }) => disabledTexts.test(message)],
  ['credentials', ({ status, rpcCode, message }) => status === 401 || rpcCode === 16 || credentialTexts.test(message)],
  ['billing', ({ message }) => /billing/i.test(message)],
  ['machine', (answer) => machineTexts.test(answer.message) && !isServerFault(answer)],
  ['zone', ({ message }) => zoneTexts.test(message)],
  ['project', ({ message }) => projectTexts.test(message)],
  ['permission', ({ status, rpcCode, code = '' }) => status === 403 || rpcCode === 7 || permissionCodes.test(code)],
  // What a request names beside the machine itself: an image, a network, an account.
  ['resource', (answer) => !isServerFault(answer) && resourceTexts.test(answer.message)],
  ['resource', ({ code }) => code === 'RESOURCE_NOT_FOUND'],
  ['request', ({ code = '' }) => /^(INVALID_|UNSUPPORTED_OPERATION|CONDITION_NOT_MET)/.test(code)],
];

function stockout({ metadata }: Answer): Fault {
  const zonesAvailable = (metadata['zonesAvailable'] ?? '')
    .split(',')
    .map((zone) => zone.trim())
    .filter((zone) => zone !== '');
  return { is: 'stockout', zonesAvailable };
}

function quota({ message, quota: known }: Answer): Fault {
  // The name of the console first; details have that of the API.
  const metric = /quota (?:limit )?'([^']+)'/i.exec(message)?.[1] ?? known?.metric ?? 'unnamed';
  const limit = known?.limit ?? numberIn(/limit:? ?([0-9.]+)/i.exec(message)?.[1]);
  const place = known?.dimensions['region'] ?? /in (?:region|zone) ([a-z0-9-]+)/.exec(message)?.[1];
  const family = known?.dimensions['gpu_family'];
  return {
    is: 'quota',
    // Compute Engine names metrics by their service too.
    metric: metric.split('/').at(-1) ?? metric,
    ...(family === undefined ? {} : { family }),
    limit,
    region: place?.replace(/-[a-z]$/, ''),
  };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.replace(/\.$/, ''));
}
