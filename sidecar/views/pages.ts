import type { Assets } from './assets.js';
import { type BannerModel, bannerView } from './banner.js';
import { othersView } from './byHand.js';
import { type DatasetModel, type DatasetsModel, datasetsView, datasetView } from './datasets.js';
import { frame, type PageModel, stream } from './frame.js';
import { type HistoryModel, type HistoryVersionModel, historyVersionView, historyView } from './history.js';
import { type HomeModel, homeTitle } from './home.js';
import type { LoginModel } from './login.js';
import { type ModelsModel, modelPartNames, modelsView } from './modelFiles.js';
import { type NewTrainingModel, newTrainingView } from './newTraining.js';
import { type HintsModel, hintsView } from './newTrainingHints.js';
import { type ProblemModel, problemView } from './problem.js';
import { createRenderer } from './render.js';
import { type SamplesModel, samplesView } from './samples.js';
import { type SecretsModel, secretsView } from './secrets.js';
import { type SessionModel, sessionPartNames, sessionView } from './session.js';
import { type SessionsTableModel, sessionsView } from './sessions.js';
import { sessionTitle } from './status.js';
import { type TrainersModel, trainersView } from './trainers.js';

/** Every page and every live region of a page, as HTML. Pure: the same model gives the same text. */
export type Views = {
  home(model: HomeModel): string;
  /** What goes inside `#banner`. */
  banner(model: BannerModel): string;
  /** What goes inside `#sessions`. */
  sessionsTable(model: SessionsTableModel): string;
  /** What goes inside `#others`: trainings by hand that write elsewhere. */
  others(model: HomeModel): string;
  newTraining(model: NewTrainingModel): string;
  /** What that form says about values that are being typed, as partials for htmx. */
  newTrainingHints(model: HintsModel): string;
  session(model: SessionModel): string;
  /** What goes inside each live region of a session's page, by the region's id. */
  sessionParts(model: SessionModel): Record<string, string>;
  samples(model: SamplesModel): string;
  history(model: HistoryModel): string;
  historyVersion(model: HistoryVersionModel): string;
  datasets(model: DatasetsModel): string;
  dataset(model: DatasetModel): string;
  trainers(model: TrainersModel): string;
  secrets(model: SecretsModel): string;
  models(model: ModelsModel): string;
  /** What goes inside each live region of the page of models, by the region's id. */
  modelParts(model: ModelsModel): Record<string, string>;
  problem(model: ProblemModel): string;
  login(model: LoginModel): string;
  /** Titles of the browser's tab: "(2) Trackside", "64 % my-cat V3". */
  homeTitle(model: Pick<PageModel, 'active'>): string;
  sessionTitle(model: Pick<SessionModel, 'session'>): string;
};

/**
 * @param templates absolute path of templates/
 * @param assets what `loadAssets` found
 * @param development read the templates again on every request
 * @param logout can one log out?
 */
export function createViews(options: {
  templates: string;
  assets: Assets;
  development?: boolean;
  logout?: boolean;
}): Views {
  const render = createRenderer(options);
  const page = (name: string, title: string, model: PageModel, view: object) =>
    render(`pages/${name}`, { ...frame(model), logout: options.logout, ...view, title, page: name });
  return {
    home: (model) =>
      page('home', homeTitle(model), model, {
        banner: bannerView({ ...model, page: 'home' }),
        table: sessionsView(model),
        others: othersView(model),
        query: model.query,
        stream: stream(model.root, { home: '1', q: model.query, page: model.page > 1 ? String(model.page) : '' }),
      }),
    banner: (model) => render('parts/banner', { root: model.root, now: model.now, banner: bannerView(model) }),
    sessionsTable: (model) =>
      render('parts/sessions', { root: model.root, now: model.now, table: sessionsView(model) }),
    others: (model) => render('parts/others', { root: model.root, now: model.now, others: othersView(model) }),
    newTrainingHints: (model) => render('parts/hints', { root: '', hints: hintsView(model) }),
    newTraining: (model) =>
      page('new', 'New training · Trackside', model, {
        form: newTrainingView(model),
        scripts: ['form.js', ...PICTURES],
      }),
    session: (model) =>
      page('session', sessionTitle(model.session), model, {
        ...sessionView(model),
        stream: stream(`${model.root}sessions/${encodeURIComponent(model.session.name)}/`, { log: model.logPosition }),
      }),
    sessionParts: (model) => {
      const view = { root: model.root, now: model.now, ...sessionView(model) };
      return Object.fromEntries(sessionPartNames.map((name) => [name, render(`parts/${name}`, view)]));
    },
    samples: (model) => page('samples', `Samples of ${sessionTitle(model.session)}`, model, { ...samplesView(model) }),
    history: (model) => page('history', `History of ${sessionTitle(model.session)}`, model, { ...historyView(model) }),
    historyVersion: (model) =>
      page('historyVersion', `A copy of ${sessionTitle(model.session)}`, model, { ...historyVersionView(model) }),
    datasets: (model) => page('datasets', 'Datasets · Trackside', model, { ...datasetsView(model), scripts: PICTURES }),
    dataset: (model) =>
      page('dataset', `${model.dataset.name} · Trackside`, model, { ...datasetView(model), scripts: PICTURES }),
    secrets: (model) => page('secrets', 'Secrets · Trackside', model, { ...secretsView(model) }),
    trainers: (model) => page('trainers', 'Trainers · Trackside', model, { ...trainersView(model) }),
    models: (model) =>
      page('models', 'Models · Trackside', model, { ...modelsView(model), stream: `${model.root}models/events` }),
    modelParts: (model) => {
      const view = { root: model.root, now: model.now, ...modelsView(model) };
      return Object.fromEntries(modelPartNames.map((name) => [name, render(`parts/${name}`, view)]));
    },
    problem: (model) =>
      page(
        'problem',
        'Trackside',
        { ...model, now: new Date(0), active: [] },
        { problem: problemView(model), stream: null, logout: false },
      ),
    login: (model) => render('pages/login', model),
    homeTitle,
    sessionTitle: ({ session }) => sessionTitle(session),
  };
}

/** In this order: the last uses what the first gives. */
const PICTURES = ['sending.js', 'captions.js', 'pictures.js'];
