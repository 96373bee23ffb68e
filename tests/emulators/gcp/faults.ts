import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from './messages.ts';
import { ApiError } from './errors.ts';

/** Which calls: those of a method, such as `compute.instances.insert`, and of a zone, where these are given. */
export type CallMatch = { method?: string | RegExp; zone?: string; times?: number };

export type Stockout = {
  zone: string | RegExp;
  machineType?: string | RegExp;
  market?: 'spot' | 'on-demand';
  /** Ends by itself. */
  forMs?: number;
  times?: number;
  /** `details`: names the zones that have some; `plain`: the older code without; `text`: only the message tells. */
  form?: 'details' | 'plain' | 'text';
  zonesAvailable?: readonly string[];
};

type Misbehaviour =
  | { kind: 'answer'; status: number; reason: string; message: string; retryAfterSeconds?: number }
  | { kind: 'delay'; ms: number }
  /** Done, and the answer lost on its way. */
  | { kind: 'lose-answer' }
  /** The connection breaks before anything is done. */
  | { kind: 'lose-call' }
  /** The same two, after the test has done something at just this moment. */
  | { kind: 'interrupt'; phase: Phase; act: () => Promise<void> };

/** Of a call: before Google does anything, and when it is done and not answered yet. */
export type Phase = 'before' | 'after';

/** What is to become of a call: `before` it is answered, the test may want to do something. */
export type Fate = { is: 'answer' | 'lose-answer' | 'lose-call'; act?: () => Promise<void> };

export type Faults = {
  answer: (
    match: CallMatch,
    status: number,
    options?: { retryAfterSeconds?: number; reason?: string; message?: string },
  ) => void;
  delay: (match: CallMatch, ms: number) => void;
  loseAnswer: (match: CallMatch) => void;
  loseCall: (match: CallMatch) => void;
  /** Calls `act` once at this moment of the next such call, whose answer is lost. */
  interrupt: (match: CallMatch, phase: Phase, act: () => Promise<void>) => void;
  stockout: (stockout: Stockout) => void;
  /** The operation fails with this, after it was accepted. Of Cloud TPU `status` is a google.rpc.Code. */
  failOperation: (match: CallMatch, code: string, message: string, status?: number) => void;
  disableApi: (service: Service) => void;
  enableApi: (service: Service) => void;
  /** The disks of this instance stay when it goes. */
  leaveDisk: (instance: string) => void;
  clear: () => void;
};

/** What the emulator looks up while it works. */
export type FaultsInside = {
  isDisabled: (service: Service) => boolean;
  /** Delays, or answers in place of the method; else says what is to become of the call. */
  before: (method: string, zone: string | undefined) => Promise<Fate>;
  stockoutOf: (zone: string, machineType: string, market: 'spot' | 'on-demand') => Stockout | undefined;
  operationFault: (
    method: string,
    zone: string | undefined,
  ) => { code: string; message: string; status: number } | undefined;
  takesDisk: (instance: string) => boolean;
};

type Armed<What> = { match: CallMatch; what: What; left: number };

const reasons: Record<number, string> = {
  403: 'rateLimitExceeded',
  429: 'rateLimitExceeded',
  500: 'internalError',
  502: 'backendError',
  503: 'backendError',
};

/** Everything that goes wrong, armed by the test and used up as it happens. */
export function createFaults(): { outside: Faults; inside: FaultsInside } {
  const misbehaviours: Armed<Misbehaviour>[] = [];
  const failures: Armed<{ code: string; message: string; status: number }>[] = [];
  const stockouts: { stockout: Stockout; left: number; untilMs: number }[] = [];
  const disabled = new Set<Service>();
  const leavingDisks = new Set<string>();

  const arm = (match: CallMatch, what: Misbehaviour) =>
    void misbehaviours.push({ match, what, left: match.times ?? Infinity });

  const outside: Faults = {
    answer: (match, status, { retryAfterSeconds, reason = reasons[status] ?? 'badRequest', message } = {}) =>
      arm(match, {
        kind: 'answer',
        status,
        reason,
        message: message ?? (status === 429 ? 'Rate Limit Exceeded' : 'Backend Error'),
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      }),
    delay: (match, ms) => arm(match, { kind: 'delay', ms }),
    loseAnswer: (match) => arm(match, { kind: 'lose-answer' }),
    loseCall: (match) => arm(match, { kind: 'lose-call' }),
    interrupt: (match, phase, act) => arm({ times: 1, ...match }, { kind: 'interrupt', phase, act }),
    stockout: (stockout) =>
      void stockouts.push({
        stockout,
        left: stockout.times ?? Infinity,
        untilMs: Date.now() + (stockout.forMs ?? Infinity),
      }),
    failOperation: (match, code, message, status = 400) =>
      void failures.push({ match, what: { code, message, status }, left: match.times ?? Infinity }),
    disableApi: (service) => void disabled.add(service),
    enableApi: (service) => void disabled.delete(service),
    leaveDisk: (instance) => void leavingDisks.add(instance),
    clear: () => {
      for (const list of [misbehaviours, failures, stockouts]) list.length = 0;
      disabled.clear();
      leavingDisks.clear();
    },
  };

  const inside: FaultsInside = {
    isDisabled: (service) => disabled.has(service),
    before: async (method, zone) => {
      for (const armed of misbehaviours.filter(({ match, left }) => left > 0 && matches(match, method, zone))) {
        armed.left -= 1;
        const { what } = armed;
        if (what.kind === 'delay') await sleep(what.ms);
        else if (what.kind === 'answer') {
          const { status, reason, message, retryAfterSeconds } = what;
          throw new ApiError(status, reason, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
        } else if (what.kind !== 'interrupt') return { is: what.kind };
        else if (what.phase === 'after') return { is: 'lose-answer', act: what.act };
        else {
          await what.act();
          return { is: 'lose-call' };
        }
      }
      return { is: 'answer' };
    },
    stockoutOf: (zone, machineType, market) => {
      const found = stockouts.find(
        ({ stockout, left, untilMs }) =>
          left > 0 &&
          Date.now() < untilMs &&
          isLike(stockout.zone, zone) &&
          isLike(stockout.machineType, machineType) &&
          (stockout.market ?? market) === market,
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.stockout;
    },
    operationFault: (method, zone) => {
      const found = failures.find(({ match, left }) => left > 0 && matches(match, method, zone));
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.what;
    },
    takesDisk: (instance) => !leavingDisks.has(instance),
  };
  return { outside, inside };
}

function matches(match: CallMatch, method: string, zone: string | undefined): boolean {
  return isLike(match.method, method) && (match.zone === undefined || match.zone === zone);
}

function isLike(pattern: string | RegExp | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  return typeof pattern === 'string' ? pattern === text : pattern.test(text);
}
