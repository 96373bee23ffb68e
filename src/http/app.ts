import cookiePlugin from '@fastify/cookie';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { DownloadDeps } from '../artifacts/download.ts';
import type { FilesystemBucket } from '../artifacts/filesystem-bucket.ts';
import type { ReceiveDeps } from '../artifacts/receive.ts';
import type { CreateUploadDeps } from '../artifacts/upload.ts';
import type { FollowDeps } from '../logs/follow.ts';
import { guard } from './auth.ts';
import { honourIdempotencyKeys } from './idempotency.ts';
import { createKeyring } from './keyring.ts';
import { measureRequests } from './metrics.ts';
import { collectOpenApi } from './openapi.ts';
import { answerProblems, createProblems } from './problems.ts';
import { adjustmentRoutes } from './routes/adjustments.ts';
import { artifactRoutes, checkpointRoutes } from './routes/artifacts.ts';
import { auditRoutes } from './routes/audit.ts';
import { changeRoutes } from './routes/changes.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { instanceRoutes, type InstanceRouteDeps } from './routes/instances.ts';
import { queueRoutes } from './routes/queue.ts';
import { quotaRoutes, type QuotaRouteDeps } from './routes/quotas.ts';
import { healthRoutes, type HealthRouteDeps } from './routes/health.ts';
import { jobListRoutes } from './routes/job-lists.ts';
import { jobRoutes, type JobRouteDeps } from './routes/jobs.ts';
import { keyRoutes } from './routes/keys.ts';
import { logRoutes } from './routes/logs.ts';
import { objectRoutes } from './routes/objects.ts';
import { offerRoutes, type OfferRouteDeps } from './routes/offers.ts';
import { policyRoutes, type PolicyRouteDeps } from './routes/policies.ts';
import { quoteOutcomeRoutes } from './routes/quote-outcomes.ts';
import { quoteRoutes, type QuoteRouteDeps } from './routes/quotes.ts';
import { runnerLogRoutes } from './routes/runner-logs.ts';
import { runnerUploadRoutes } from './routes/runner-uploads.ts';
import { runnerBootRoutes, type RunnerBootRouteDeps } from './routes/runner-boot.ts';
import { runnerRoutes, type RunnerRouteDeps } from './routes/runner.ts';
import { signInRoutes, type SignInRouteDeps } from './routes/sign-in.ts';
import { sessionRoutes, type SessionRouteDeps } from './routes/session.ts';
import { secretRoutes, type SecretRouteDeps } from './routes/secrets.ts';
import { shareRoutes, type ShareRouteDeps } from './routes/shares.ts';
import { simulationRoutes, type SimulationRouteDeps } from './routes/simulations.ts';
import { statementRoutes } from './routes/statement.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tenantRoutes, type TenantRouteDeps } from './routes/tenants.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { createSessionCookie } from './session-cookie.ts';
import { validateStrictly } from './validation.ts';
import { tellVersion } from './version-header.ts';

/** What all routes need together; each takes its own part. */
export type AppDeps = Omit<HealthRouteDeps, 'keyring'> &
  SecretRouteDeps &
  SessionRouteDeps &
  SignInRouteDeps &
  TenantRouteDeps &
  PolicyRouteDeps &
  ShareRouteDeps &
  SimulationRouteDeps &
  QuoteRouteDeps &
  OfferRouteDeps &
  JobRouteDeps &
  InstanceRouteDeps &
  QuotaRouteDeps &
  FollowDeps &
  DownloadDeps &
  CreateUploadDeps &
  RunnerBootRouteDeps &
  RunnerRouteDeps &
  ReceiveDeps & {
    publicUrl: string;
    logger: FastifyBaseLogger;
    operatorKey: string;
    /** The bucket again where it is a folder, whose signed URLs the API serves. */
    filesystemBucket: FilesystemBucket | undefined;
  };

const maxBodyBytes = 4 * 1024 * 1024;

/** The API. This is its table of contents: what each request passes, in order, and every file of routes. */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const { db, logger } = deps;
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    routerOptions: { maxParamLength: 1024 },
    // What fails before a route is found.
    frameworkErrors: (error, request, reply) => void createProblems(deps.publicUrl).onError(error, request, reply),
  });
  const keyring = createKeyring(deps);
  const cookie = createSessionCookie(deps.publicUrl);

  answerProblems(app, deps.publicUrl);
  measureRequests(app, deps.metrics);
  validateStrictly(app);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(cookiePlugin);
  guard(app, { keyring, sessions: { cookie, publicUrl: deps.publicUrl } });
  tellVersion(app);
  honourIdempotencyKeys(app, db, deps.secretKey);
  await collectOpenApi(app);

  await app.register(healthRoutes({ ...deps, keyring }));
  await app.register(sessionRoutes({ ...deps, keyring, cookie }));
  await app.register(signInRoutes({ ...deps, cookie }));
  await app.register(tenantRoutes(deps));
  await app.register(keyRoutes({ db, forgetKey: keyring.forget }));
  await app.register(secretRoutes(deps));
  await app.register(policyRoutes(deps));
  await app.register(quotaRoutes(deps));
  await app.register(statementRoutes(deps));
  await app.register(adjustmentRoutes(deps));
  await app.register(quoteRoutes(deps));
  await app.register(quoteOutcomeRoutes(deps));
  await app.register(offerRoutes(deps));
  await app.register(jobRoutes(deps));
  await app.register(jobListRoutes(deps));
  await app.register(taskRoutes(deps));
  await app.register(queueRoutes(deps));
  await app.register(eventRoutes(deps));
  await app.register(logRoutes(deps));
  await app.register(changeRoutes(deps));
  await app.register(webhookRoutes(deps));
  await app.register(artifactRoutes(deps));
  await app.register(checkpointRoutes(deps));
  await app.register(uploadRoutes(deps));
  await app.register(shareRoutes(deps));
  await app.register(simulationRoutes(deps));
  await app.register(auditRoutes(deps));
  await app.register(runnerBootRoutes(deps));
  await app.register(instanceRoutes(deps));
  await app.register(runnerRoutes(deps));
  await app.register(runnerLogRoutes(deps));
  await app.register(runnerUploadRoutes(deps));
  if (deps.filesystemBucket !== undefined) await app.register(objectRoutes({ bucket: deps.filesystemBucket }));
  await app.register(dashboardRoutes(deps.bucket.origin));
  await app.register(docsRoutes());
  return app;
}
