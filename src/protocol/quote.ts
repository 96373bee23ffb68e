import { Type, type Static } from 'typebox';
import { closed, Id, Nullable, Percentiles, Time, Usd } from './common.ts';
import { TightestQuota } from './instance.ts';
import { exampleSpecs, JobSpec } from './job-spec.ts';

const GigaflopsPerCore = Type.Number({
  description:
    'Where the kind is cpu: what a matrix product in fp32 reaches on one core, as measured; left out where it was not.',
});

export const Offer = Type.Object(
  {
    id: Type.String(),
    provider: Type.String(),
    region: Type.String(),
    zone: Nullable(Type.String()),
    machineType: Type.String(),
    accelerators: Type.Object(
      { kind: Type.String(), count: Type.Number({ description: 'Per node; cores where the kind is cpu.' }) },
      closed,
    ),
    nodes: Type.Integer(),
    gigaflopsPerCore: Type.Optional(GigaflopsPerCore),
    market: Type.Enum(['spot', 'on-demand']),
    hourlyUsd: Usd('All nodes together.'),
    priceDate: Type.String({ format: 'date' }),
  },
  { ...closed, title: 'Offer' },
);
export type Offer = Static<typeof Offer>;

export const Availability = Type.Object(
  {
    seenAt: Time(),
    free: Nullable(
      Type.Object(
        {
          cpus: Type.Number(),
          memoryBytes: Type.Number(),
          diskBytes: Type.Number(),
          accelerators: Type.Number({ description: 'Of the offer’s kind; cores where that is cpu.' }),
        },
        {
          ...closed,
          description: 'What nobody holds now, of all such machines; null where the provider does not say.',
        },
      ),
    ),
    quota: Nullable(TightestQuota),
    lastShortageAt: Nullable(Time('When the provider last had none of these machines for a job, within a day.')),
    shortage: Nullable(
      Type.Object(
        {
          cause: Type.Enum(['stockout', 'quota', 'refused'], {
            description:
              'The provider had none; a limit of the operator’s account with it was reached; it refuses until an operator changes something.',
          }),
          message: Type.String(),
          askedAgainAt: Time('No job asks for such a machine before; then one does, and the others once it got one.'),
        },
        { ...closed, description: 'What was said when it last had none; null once a job got one again.' },
      ),
    ),
  },
  { ...closed, title: 'Availability' },
);
export type Availability = Static<typeof Availability>;

/** An offer as it stands in the list of what can be bought now. */
export const CurrentOffer = Type.Object(
  { ...Offer.properties, availability: Availability },
  { ...closed, title: 'CurrentOffer' },
);
export type CurrentOffer = Static<typeof CurrentOffer>;

export const QuoteOption = Type.Object(
  {
    id: Id('option'),
    offer: Offer,
    durationSeconds: Percentiles,
    costUsd: Percentiles,
    breakdown: Type.Object(
      {
        computeUsd: Usd('The training itself.'),
        provisioningUsd: Usd('From the machine’s start to the runner’s.'),
        setupUsd: Usd('Image and setup.'),
        transferUsd: Usd('Time in which inputs come and outputs go.'),
        checkpointUsd: Usd('Time in which checkpoints are written.'),
        preemptionUsd: Usd('Work done again, and restarts.'),
        storageUsd: Usd('Disks, and what is kept for a month.'),
        egressUsd: Usd('Between regions, and outputs fetched once.'),
      },
      { ...closed, description: 'Where the middle of costUsd goes; the parts sum to it.' },
    ),
    phases: Type.Object(
      {
        provisioningSeconds: Type.Number({ description: 'Before durationSeconds begins.' }),
        setupSeconds: Type.Number(),
        transferSeconds: Type.Number(),
        trainingSeconds: Type.Number(),
        checkpointSeconds: Type.Number(),
        preemptionSeconds: Type.Number(),
      },
      { ...closed, description: 'Where the middle of durationSeconds goes.' },
    ),
    start: Type.Object({ p50Seconds: Type.Number(), p90Seconds: Type.Number() }, closed),
    pareto: Type.Boolean({
      description:
        'On the Pareto front of time and cost: nothing that is feasible is as cheap and sooner done, or as soon and cheaper. Where nothing is feasible, of what could be bought.',
    }),
    feasible: Type.Boolean(),
    reasons: Type.Array(Type.String(), { description: 'Why it is not feasible.' }),
  },
  { ...closed, title: 'QuoteOption' },
);
export type QuoteOption = Static<typeof QuoteOption>;

export const workBases = [
  'pilot', 'flops', 'transformer', 'examples', 'preset', 'expected-duration', 'history', 'default',
] as const; // prettier-ignore

/** What a pilot found: how long the whole job takes on the machines it ran on. */
export const Measured = Type.Object(
  {
    accelerators: Type.Object(
      { kind: Type.String(), count: Type.Number({ description: 'Of all nodes together.' }) },
      closed,
    ),
    gigaflopsPerCore: Type.Optional(GigaflopsPerCore),
    durationSeconds: Type.Number(),
    spreadFactor: Type.Number({ description: 'The 80 % interval is from the duration ÷ this to × this.' }),
  },
  closed,
);
export type Measured = Static<typeof Measured>;

export const Pilot = Type.Object(
  {
    state: Type.Enum(['running', 'done', 'failed'], {
      description: 'While it is running, and where it has failed, the options are computed from the spec alone.',
    }),
    job: Nullable(Id('job', 'The job that the pilot is; null where there was none.')),
    message: Type.String({ description: 'What was measured, or why nothing was.' }),
    measured: Nullable(Measured),
  },
  { ...closed, title: 'Pilot' },
);
export type Pilot = Static<typeof Pilot>;

export const Quote = Type.Object(
  {
    id: Id('quote'),
    createdAt: Time(),
    expiresAt: Time(),
    workload: Type.Object(
      {
        flops: Nullable(Type.Number({ description: 'FLOP of the whole run; null where only a duration is known.' })),
        basis: Type.Enum([...workBases]),
        assumptions: Type.Array(Type.String()),
        mostTelling: Nullable(
          Type.Object(
            {
              field: Type.String({ description: 'Of the spec’s workload, not stated.' }),
              factor: Type.Number({ description: 'By up to how much p90 ÷ p10 would shrink.' }),
            },
            { ...closed, description: 'The field that would narrow the range most; null where none would.' },
          ),
        ),
      },
      closed,
    ),
    options: Type.Array(QuoteOption),
    recommended: Nullable(Id('option')),
    shareImpact: Type.Object(
      { window: Type.String(), before: Type.Number(), after: Type.Number(), cap: Nullable(Type.Number()) },
      closed,
    ),
    calibration: Type.Object(
      { runs: Type.Integer(), medianErrorPercent: Nullable(Type.Number()), coveragePercent: Nullable(Type.Number()) },
      closed,
    ),
    pilot: Type.Optional(Pilot),
  },
  { ...closed, title: 'Quote' },
);
export type Quote = Static<typeof Quote>;

export const NewQuote = Type.Object(
  {
    ...JobSpec.properties,
    pilot: Type.Optional(
      Type.Boolean({
        description:
          'Quote from a run of up to two minutes, which is a job of the tenant. Answered at once; GET the quote until its pilot is no longer running.',
      }),
    ),
  },
  { ...closed, title: 'NewQuote', 'x-examples': exampleSpecs },
);

const Errors = Type.Object(
  {
    medianErrorPercent: Nullable(Type.Number()),
    p90ErrorPercent: Nullable(Type.Number()),
    biasPercent: Nullable(
      Type.Number({ description: 'Median of (predicted − actual) ÷ actual: above 0, too long or dear.' }),
    ),
    coveragePercent: Nullable(Type.Number({ description: 'Of the 80 % interval, p10 to p90.' })),
  },
  closed,
);

const Figures = { finishedJobs: Type.Integer(), duration: Errors, cost: Errors };

const Law = Type.Object(
  {
    coefficient: Type.Number({ description: 'Per parameter or FLOP.' }),
    medianErrorPercent: Type.Number(),
    p90ErrorPercent: Type.Number(),
  },
  closed,
);

/** C = k·S and R = r·S, each job against the law fitted on all the others. */
export const LinearLawReport = Type.Object(
  {
    scale: Type.Enum(['parameters', 'flops'], { description: 'What S is.' }),
    finishedJobs: Type.Integer(),
    costUsd: Law,
    acceleratorHours: Law,
  },
  closed,
);

/** What the service has seen of its own error: predicted against actual, over finished jobs. */
export const QuoteAccuracy = Type.Object(
  {
    quotes: Type.Integer({ description: 'How many were made; those that no job came of, of the last month.' }),
    ...Figures,
    byAccelerator: Type.Array(Type.Object({ accelerator: Type.String(), ...Figures }, closed)),
    byBasis: Type.Array(Type.Object({ basis: Type.String(), ...Figures }, closed)),
    overTime: Type.Array(Type.Object({ from: Time(), to: Time(), ...Figures }, closed), {
      description: 'Day by day, for the last thirty.',
    }),
    linearLaw: Type.Array(LinearLawReport, {
      description: 'Beside it, what a law linear in scale would have said of the same jobs.',
    }),
  },
  { ...closed, title: 'QuoteAccuracy' },
);

export const QuoteOutcome = Type.Object(
  {
    job: Id('job'),
    name: Type.String(),
    tenant: Id('tenant'),
    accelerator: Type.String(),
    basis: Type.String({ description: 'How the quote came by its figure.' }),
    durationSeconds: Type.Object(
      { predicted: Type.Number(), p10: Type.Number(), p90: Type.Number(), actual: Type.Number() },
      closed,
    ),
    costUsd: Type.Object({ predicted: Usd(), p10: Nullable(Usd()), p90: Nullable(Usd()), actual: Usd() }, closed),
    finishedAt: Time(),
  },
  { ...closed, title: 'QuoteOutcome', description: 'What a finished job was quoted, and what came.' },
);
export type QuoteOutcome = Static<typeof QuoteOutcome>;

export const Scaling = Type.Object(
  {
    points: Type.Array(
      Type.Object(
        {
          accelerators: Type.Object({ kind: Type.String(), count: Type.Number() }, closed),
          durationSeconds: Percentiles,
          costUsd: Percentiles,
        },
        closed,
      ),
    ),
    payingUpTo: Nullable(
      Type.Object(
        { kind: Type.String(), count: Type.Number() },
        {
          ...closed,
          description:
            'Beyond it more accelerators stop paying: the next doubling adds over 20 % to the cost, or saves less than 20 % of the time. The last point where even that one pays; null where there is nothing to compare.',
        },
      ),
    ),
  },
  { ...closed, title: 'Scaling' },
);
