import { join } from 'node:path';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodOverride } from 'hono/method-override';
import { log } from './log.js';
import { Problem } from './problem.js';
import { problemStatus } from './problemStatus.js';
import { formPage, rootOf, wantsPage } from './request.js';
import { allHistoryRoutes } from './routes/allHistory.js';
import { assetRoutes } from './routes/assets.js';
import { attemptRoutes } from './routes/attempts.js';
import { byHandRoutes } from './routes/byHand.js';
import { chartRoutes } from './routes/charts.js';
import { compareRoutes } from './routes/compare.js';
import { compressAnswers } from './routes/compressAnswers.js';
import { datasetRoutes } from './routes/datasets.js';
import { diagnosticsRoutes } from './routes/diagnostics.js';
import { diskRoutes } from './routes/disk.js';
import { diskProblem } from './routes/diskProblem.js';
import { draftFromFileRoutes } from './routes/draftFromFile.js';
import { draftRoutes } from './routes/drafts.js';
import { eventRoutes } from './routes/events.js';
import { exchangeRoutes } from './routes/exchange.js';
import { healthRoutes } from './routes/health.js';
import { historyRoutes } from './routes/history.js';
import { homeRoutes, pageModel } from './routes/home.js';
import { logRoutes } from './routes/log.js';
import { loginRoutes } from './routes/login.js';
import { loraRoutes } from './routes/loras.js';
import { machineRoutes } from './routes/machine.js';
import { metricRoutes } from './routes/metrics.js';
import { modelRoutes } from './routes/models.js';
import { newTrainingRoutes } from './routes/newTraining.js';
import { noticeRoutes } from './routes/notices.js';
import { openApiRoutes } from './routes/openapi.js';
import { podCancelRoutes, podRoutes } from './routes/pod.js';
import { productRoutes } from './routes/products.js';
import { publishRoutes } from './routes/publish.js';
import { purgeRoutes } from './routes/purge.js';
import { queueRoutes } from './routes/queue.js';
import { relaunchRoutes } from './routes/relaunch.js';
import { secretRoutes } from './routes/secrets.js';
import { sessionRoutes } from './routes/sessions.js';
import { sessionTrashRoutes } from './routes/sessionTrash.js';
import { sharedRoutes } from './routes/shared.js';
import { shareRoutes } from './routes/shares.js';
import { streamRoutes } from './routes/streams.js';
import { sweepRoutes } from './routes/sweeps.js';
import { templateRoutes } from './routes/templates.js';
import { trainerRoutes } from './routes/trainers.js';
import { guard } from './security/guard.js';
import { safeHeaders } from './security/headers.js';
import { ownNames } from './security/hosts.js';
import { maskAnswers } from './security/maskAnswers.js';
import { notPassedOn, ownHost, ownOrigin } from './security/origin.js';
import { LARGEST_DOCUMENT } from './sessions/exchange/export.js';
import { trainsOn } from './sessions/outputs/active.js';
import type { Trackside } from './trackside.js';
import { pageOf } from './views/subject.js';

const STREAMED = /^\/(?:datasets|drafts\/from-file$)/;
const LARGEST_FORM = 4 * 1024 * 1024;

/**
 * All routes behind all guards.
 *
 * @example const answer = await createApp(trackside).request('/healthz');
 */
export function createApp(trackside: Trackside): Hono {
  const { settings, login, views, assets } = trackside;
  const app = new Hono();
  app.use(meantMethod(app));
  app.use(compressAnswers());
  app.use(maskAnswers());
  app.use(safeHeaders());
  const isOurs = ownNames([settings.host, ...settings.allowedHosts], login !== null);
  if (login)
    app.use(
      ownHost((name) => isOurs(name) || settings.pod.owns(name)),
      guard(login, views.login),
    );
  // Without a login the pod's own proxy would let everybody in, so it is refused unless the user names the host as safe.
  else app.use(ownHost(isOurs), notPassedOn(ownNames(settings.allowedHosts, false)));
  app.route('/', podCancelRoutes(trackside));
  app.use(ownOrigin());
  // Before the limit for forms: the login keeps a stranger's body in memory, and has a smaller limit of its own.
  if (login) app.route('/', loginRoutes(login, views, trackside.hub));
  // Datasets, and files of other tools, stream large bodies in bounded memory; all other bodies are small.
  const smallBody = bodyLimit({ maxSize: LARGEST_FORM, onError: tooLarge });
  const document = bodyLimit({ maxSize: LARGEST_DOCUMENT, onError: tooLarge });
  app.use((c, next) => {
    if (c.req.path === '/sessions/import') return document(c, next);
    return STREAMED.test(c.req.path) ? next() : smallBody(c, next);
  });
  app.route('/', assetRoutes(assets));
  for (const routes of ROUTES) app.route('/', routes(trackside));
  app.route('/', streamRoutes(app.fetch));
  app.route(
    '/',
    datasetRoutes({
      datasets: settings.datasets,
      userOf: async (dataset) => trainsOn(await trackside.outputs.list(), join(settings.datasets, dataset)),
      pages: {
        datasets: async (model) => views.datasets({ ...(await pageModel(trackside, model.root)), ...model }),
        dataset: async (model) => views.dataset({ ...(await pageModel(trackside, model.root)), ...model }),
      },
    }),
  );
  app.notFound((c) => {
    const allowed = METHODS.filter((method) => hasRoute(app, method, c.req.path));
    if (allowed.length > 0) {
      c.header('Allow', allowed.join(', '));
      return tell(c, new Problem('not_allowed', `This address can be asked with ${allowed.join(' or ')} only.`));
    }
    const message = 'There is nothing at this address. A session or a dataset may have been deleted or renamed.';
    return tell(c, new Problem('not_found', message));
  });
  app.onError((error, c) => {
    if (error instanceof Problem) return tell(c, error);
    // Nobody waits for an aborted request's answer, and anybody could fill the log with them.
    return c.req.raw.signal.aborted ? c.body(null, 400) : tell(c, unexpected(error));
  });

  function tell(c: Context, problem: Problem): Response {
    const { code, message, afterName, field, fields, about, retryAfter } = problem;
    const status = problemStatus[code];
    if (retryAfter) c.header('Retry-After', String(retryAfter));
    if (wantsPage(c))
      return c.html(views.problem({ root: rootOf(c), status, code, message, about, back: formPage(c) }), status);
    const link = about && pageOf(about).path;
    return c.json({ error: { code, message, after_name: afterName, field, fields, link } }, status);
  }

  return app;
}

/** The routes of each resource, in the order in which they are tried. */
const ROUTES: readonly ((trackside: Trackside) => Hono)[] = [
  ...[healthRoutes, diskRoutes, diagnosticsRoutes, openApiRoutes, homeRoutes, newTrainingRoutes],
  ...[draftFromFileRoutes, draftRoutes, eventRoutes, sessionRoutes, attemptRoutes, byHandRoutes],
  ...[queueRoutes, purgeRoutes, machineRoutes, metricRoutes, chartRoutes, compareRoutes, logRoutes],
  ...[productRoutes, historyRoutes, allHistoryRoutes, loraRoutes, exchangeRoutes, relaunchRoutes],
  ...[sessionTrashRoutes, templateRoutes, sweepRoutes, trainerRoutes, secretRoutes, shareRoutes],
  ...[sharedRoutes, noticeRoutes, podRoutes, modelRoutes, publishRoutes],
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Has the app a handler for it, beside the guards that stand before all of them? */
function hasRoute(app: Hono, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL');
}

/** Reads the method of a form, which can only post, from its address: `?_method=DELETE`. */
function meantMethod(app: Hono): MiddlewareHandler {
  const override = methodOverride({ app, query: '_method' });
  return (c, next) => (c.req.method === 'POST' && MEANT.has(c.req.query('_method') ?? '') ? override(c, next) : next());
}

const MEANT = new Set(['DELETE', 'PUT', 'PATCH']);

function tooLarge(): never {
  throw new Problem('too_large', 'The form or file is larger than 4 MB, or a session’s file than 16 MB.');
}

/** Makes a Problem of an unexpected error. The details are only in the sidecar's log. */
function unexpected(error: Error): Problem {
  const ofDisk = diskProblem(error);
  if (ofDisk) return ofDisk;
  log.error('app', 'A request failed unexpectedly.', { error });
  const message = 'Something unexpected went wrong in Trackside. Your trainings are not affected. Its log says more.';
  return new Problem('unexpected', message);
}
