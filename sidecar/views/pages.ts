import { Lru } from '../files/lru.js';
import type { Assets } from './assets.js';
import { type BannerModel, bannerView } from './banner.js';
import { type DatasetModel, type DatasetsModel, datasetsView, datasetView } from './datasets.js';
import { type DiagnosticsModel, diagnosticsView } from './diagnostics.js';
import { layoutView, type PageFrame, type PageModel, stream } from './frame.js';
import { type HistoryModel, type HistoryVersionModel, historyVersionView, historyView } from './history.js';
import { type HomeModel, homeTitle, homeView } from './home.js';
import type { LoginModel } from './login.js';
import { type ModelsModel, modelsView } from './modelFiles.js';
import { type NewTrainingModel, newTrainingView } from './newTraining.js';
import { type HintsModel, hintsView } from './newTrainingHints.js';
import { type ProblemModel, problemView } from './problem.js';
import { createRenderer } from './render.js';
import { type SamplesModel, samplesView } from './samples.js';
import { type SecretsModel, secretsView } from './secrets.js';
import { type SessionModel, sessionRegions, sessionView } from './session.js';
import { type SessionsTableModel, sessionsView } from './sessions.js';
import { sessionTitle } from './status.js';
import type { Templates } from './templates.js';
import { type TrainersModel, trainersView } from './trainers.js';

export type Views = ReturnType<typeof createViews>;

/**
 * Every page and every live region of a page, as HTML. Pure: the same model gives the same text.
 *
 * @param templates absolute path of templates/
 * @param assets what `loadAssets` found
 * @param development read the templates again on every request
 * @param logout can one log out?
 */
export function createViews(options: { templates: string; assets: Assets; development?: boolean; logout?: boolean }) {
  const render = createRenderer(options);
  const page = (model: PageModel, frame: PageFrame, body: string) =>
    render('layout', layoutView(model, frame, body, options.logout ?? false), model);
  const drawn = new Lru<{ view: string; html: string }>(MOST_DRAWN);
  /** A region as it was drawn last where its view is the same: the page itself keeps "12 min ago" true. */
  const again = <Name extends keyof Templates>(
    name: Name,
    view: Templates[Name] | null,
    model: SessionModel,
  ): string => {
    const key = `${name} ${model.root} ${model.session.name}`;
    const text = JSON.stringify(view);
    const last = drawn.get(key);
    if (last?.view === text) return last.html;
    const html = render(name, view, model);
    drawn.set(key, { view: text, html }, text.length + html.length);
    return html;
  };
  return {
    home(model: HomeModel) {
      const shown = { home: '1', q: model.query, page: model.page > 1 ? String(model.page) : '' };
      const frame = { page: 'home', title: homeTitle(model), stream: stream(model.root, shown) };
      return page(model, frame, render('pages/home', homeView(model), model));
    },
    /** What goes inside `#banner`. */
    banner: (model: BannerModel) => render('parts/banner', bannerView(model), model),
    /** What goes inside `#sessions`. */
    sessionsTable: (model: SessionsTableModel) => render('parts/sessions', sessionsView(model), model),
    /** What goes inside `#others`: trainings by hand that write elsewhere. */
    others: (model: HomeModel) => render('parts/others', homeView(model).others, model),
    /** What the form of a new training says about values that are being typed, as partials for htmx. */
    newTrainingHints: (model: HintsModel) =>
      render('parts/hints', { hints: hintsView(model) }, { root: '', now: new Date(0) }),
    newTraining(model: NewTrainingModel) {
      const frame = { page: 'new', title: 'New training · Trackside', scripts: ['form.js', ...PICTURES] };
      return page(model, frame, render('pages/new', newTrainingView(model), model));
    },
    session(model: SessionModel) {
      const at = `${model.root}sessions/${encodeURIComponent(model.session.name)}/`;
      const live = stream(at, { log: model.logPosition });
      const frame = { page: 'session', title: sessionTitle(model.session), stream: live };
      return page(model, frame, render('pages/session', sessionView(model), model));
    },
    /** What goes inside each live region of a session's page, by the region's id. */
    sessionParts(model: SessionModel): Record<string, string> {
      const regions = sessionRegions(model);
      return {
        head: again('parts/head', regions.head, model),
        facts: again('parts/facts', regions.facts, model),
        loss: again('parts/loss', regions.loss, model),
        samples: again('parts/samples', regions.samples, model),
        checkpoints: again('parts/checkpoints', regions.checkpoints, model),
        attempts: again('parts/attempts', regions.attempts, model),
        resume: again('parts/resume', regions.resume, model),
        publish: again('parts/publish', regions.publish, model),
      };
    },
    samples(model: SamplesModel) {
      const frame = { page: 'samples', title: `${sessionTitle(model.session)} · Samples` };
      return page(model, frame, render('pages/samples', samplesView(model), model));
    },
    history(model: HistoryModel) {
      const frame = { page: 'history', title: `${sessionTitle(model.session)} · History` };
      return page(model, frame, render('pages/history', historyView(model), model));
    },
    historyVersion(model: HistoryVersionModel) {
      const frame = { page: 'historyVersion', title: `${sessionTitle(model.session)} · History` };
      return page(model, frame, render('pages/historyVersion', historyVersionView(model), model));
    },
    datasets(model: DatasetsModel) {
      const frame = { page: 'datasets', title: 'Datasets · Trackside', scripts: PICTURES };
      return page(model, frame, render('pages/datasets', datasetsView(model), model));
    },
    dataset(model: DatasetModel) {
      const frame = { page: 'dataset', title: `${model.dataset.name} · Trackside`, scripts: PICTURES };
      return page(model, frame, render('pages/dataset', datasetView(model), model));
    },
    secrets(model: SecretsModel) {
      const frame = { page: 'secrets', title: 'Secrets · Trackside' };
      return page(model, frame, render('pages/secrets', secretsView(model), model));
    },
    diagnostics(model: DiagnosticsModel) {
      const frame = { page: 'diagnostics', title: 'Diagnostics · Trackside' };
      return page(model, frame, render('pages/diagnostics', diagnosticsView(model), model));
    },
    trainers(model: TrainersModel) {
      const frame = { page: 'trainers', title: 'Trainers · Trackside' };
      return page(model, frame, render('pages/trainers', trainersView(model), model));
    },
    models(model: ModelsModel) {
      const frame = { page: 'models', title: 'Models · Trackside', stream: `${model.root}models/events` };
      return page(model, frame, render('pages/models', modelsView(model), model));
    },
    /** What goes inside each live region of the page of models, by the region's id. */
    modelParts(model: ModelsModel): Record<string, string> {
      const view = modelsView(model);
      return {
        downloads: render('parts/downloads', view, model),
        needs: render('parts/needs', view, model),
        modelFiles: render('parts/modelFiles', view, model),
      };
    },
    problem({ root, ...problem }: ProblemModel) {
      const around = { root, now: new Date(0), active: [] };
      const frame = { page: 'problem', title: 'Trackside', stream: null };
      const body = render('pages/problem', problemView({ root, ...problem }), around);
      return render('layout', layoutView(around, frame, body, false), around);
    },
    login: (model: LoginModel) => render('pages/login', model, { root: model.root, now: new Date(0) }),
    /** Titles of the browser's tab: "(2) Trackside", "64 % · my-cat V3". */
    homeTitle,
    sessionTitle: ({ session }: Pick<SessionModel, 'session'>) => sessionTitle(session),
  };
}

/** Characters of regions, and of what they were drawn from. */
const MOST_DRAWN = 2_000_000;

/** In this order: the last uses what the first gives. */
const PICTURES = ['sending.js', 'captions.js', 'pictures.js'];
