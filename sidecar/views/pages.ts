import { isDeepStrictEqual } from 'node:util';
import { Lru } from '../files/lru.js';
import type { Region } from '../live/changes.js';
import { sessionAddress } from './action.js';
import { type AllHistoryModel, allHistoryView } from './allHistory.js';
import { type ApiModel, apiView } from './api.js';
import type { Assets } from './assets.js';
import { type BannerModel, bannerView } from './banner.js';
import { type ChartsModel, chartsView } from './charts.js';
import { type CompareModel, compareView } from './compare.js';
import { type DatasetModel, type DatasetsModel, datasetsView, datasetView } from './datasets.js';
import { type DiagnosticsModel, diagnosticsView } from './diagnostics.js';
import { layoutView, type PageFrame, type PageModel, stream, troublesView } from './frame.js';
import { type HistoryModel, type HistoryVersionModel, historyVersionView, historyView } from './history.js';
import { freePart, type HomeModel, homeTitle, homeView, othersPart } from './home.js';
import { type ImportModel, importView } from './import.js';
import { type LogModel, logView } from './log.js';
import type { LoginModel } from './login.js';
import { type LoraModel, type LorasModel, lorasView, loraView } from './loras.js';
import { type MachineModel, machineView } from './machine.js';
import { type ModelsModel, modelsView } from './modelFiles.js';
import { type NewTrainingModel, newTrainingView } from './newTraining.js';
import { type HintsModel, hintsView } from './newTrainingHints.js';
import { type NoticesModel, noticesView, sentView } from './notices.js';
import { type PodCancelView, type PodModel, podNowView, podView } from './pod.js';
import { type ProblemModel, problemView } from './problem.js';
import { type PurgeModel, purgeView } from './purge.js';
import { type QueueModel, queueView } from './queue.js';
import { type RelaunchModel, relaunchView } from './relaunch.js';
import { createRenderer } from './render.js';
import { type ReportModel, reportView } from './report.js';
import { type SamplesModel, samplesView } from './samples.js';
import { type SecretsModel, secretsView } from './secrets.js';
import { type SessionModel, sessionRegions, sessionView } from './session.js';
import { type SessionsTableModel, sessionsView } from './sessions.js';
import { type SharedListModel, type SharedModel, sharedListView, sharedView } from './shared.js';
import { type SharesModel, sharesView } from './shares.js';
import { sessionTitle, statusView, titleName } from './status.js';
import { type SweepModel, type SweepsModel, sweepsView, sweepView, type VoteModel, voteView } from './sweeps.js';
import { newsOf } from './telling.js';
import type { Templates } from './templates.js';
import { type TemplatesModel, templatesView } from './templatesPage.js';
import { type TrainersModel, trainersView } from './trainers.js';
import { type TrashModel, trashView } from './trash.js';

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
  const { render, renderRegion } = createRenderer(options);
  /** A page in its frame: the template of that name, with its view. */
  const page = <Name extends PageName>(
    name: Name,
    view: Templates[`pages/${Name}`],
    model: PageModel,
    frame: Omit<PageFrame, 'page'>,
  ) => {
    const body = render(`pages/${name}`, view, model);
    return render('layout', layoutView(model, { ...frame, page: name }, body, options.logout ?? false), model);
  };
  const drawn = new Lru<{ view: object | null; region: Region }>(MOST_DRAWN);
  /** A region as it was drawn last where its view is the same: the page itself keeps "12 min ago" true. */
  const again = <Name extends keyof Templates>(
    name: Name,
    view: Templates[Name] | null,
    model: SessionModel,
  ): Region => {
    const key = `${name} ${model.root} ${model.session.name}`;
    const last = drawn.get(key);
    // Rows of the same facts are the same objects.
    if (last && isDeepStrictEqual(last.view, view)) return last.region;
    const region = renderRegion(name, view, model);
    drawn.set(key, { view, region }, 2 * lengthOf(region));
    return region;
  };
  const banner = (model: BannerModel) => renderRegion('parts/banner', bannerView(model), model);
  return {
    home(model: HomeModel) {
      const shown = { home: '1', q: model.query, page: model.page > 1 ? String(model.page) : '' };
      return page('home', homeView(model), model, { title: homeTitle(model), stream: stream(model.root, shown) });
    },
    /** What goes inside `#banner`. */
    banner,
    /** The live regions that every page has around its own, by their ids. */
    around: (model: PageModel) => ({
      troubles: renderRegion('parts/troubles', troublesView(model), model),
      banner: banner(model),
    }),
    /** What the page's script tells; `session` is the one that the page is about. */
    news: newsOf,
    /** What goes inside `#sessions`. */
    sessionsTable: (model: SessionsTableModel) => renderRegion('parts/sessions', sessionsView(model), model),
    /** What goes inside `#others`: trainings by hand that write elsewhere. */
    others: (model: HomeModel) => renderRegion('parts/others', othersPart(model), model),
    /** What goes inside `#cluster`. */
    cluster: (model: HomeModel) => renderRegion('parts/free', freePart(model), model),
    /** What the form of a new training says about values that are being typed, as partials for htmx. */
    newTrainingHints: (model: HintsModel) =>
      render('parts/hints', { hints: hintsView(model) }, { root: '', now: new Date(0) }),
    newTraining: (model: NewTrainingModel) =>
      page('new', newTrainingView(model), model, {
        ...titled('New training'),
        scripts: ['drafts.js', 'form.js', 'fromFile.js', ...PICTURES],
      }),
    session(model: SessionModel) {
      const live = stream(`${sessionAddress(model.root, model.session.name)}/`, { log: model.logPosition });
      return page('session', sessionView(model), model, { title: sessionTitle(model.session), stream: live });
    },
    /** What goes inside each live region of a session's page, by the region's id. */
    sessionParts(model: SessionModel): Record<string, Region> {
      const regions = sessionRegions(model);
      const names = Object.keys(regions) as (keyof typeof regions)[];
      return Object.fromEntries(names.map((name) => [name, again(`parts/${name}`, regions[name], model)]));
    },
    charts: (model: ChartsModel) =>
      page('charts', chartsView(model), model, {
        title: `${sessionTitle(model.session)} · Charts`,
        stream: `${sessionAddress(model.root, model.session.name)}/charts/events`,
        scripts: ['charts.js'],
        sheets: ['charts.css'],
      }),
    compare: (model: CompareModel) =>
      page('compare', compareView(model), model, {
        ...titled('Compare'),
        scripts: model.comparison.curves.length > 0 ? ['charts.js'] : [],
        sheets: ['charts.css', 'samples.css', 'compare.css'],
      }),
    log: (model: LogModel) =>
      page('log', logView(model), model, {
        title: `${sessionTitle(model.session)} · Log`,
        stream: `${sessionAddress(model.root, model.session.name)}/log/events?log=${model.position}`,
        scripts: ['log.js'],
        sheets: ['log.css'],
      }),
    /** What goes inside the status of a session. */
    status: (model: Pick<SessionModel, 'session' | 'root' | 'now'>) =>
      renderRegion('parts/status', statusView(model.session), model),
    samples: (model: SamplesModel) =>
      page('samples', samplesView(model), model, {
        title: `${sessionTitle(model.session)} · Samples`,
        stream: `${sessionAddress(model.root, model.session.name)}/samples/events`,
        scripts: ['sampleNews.js', ...(model.samples.length > 0 ? ['samples.js'] : [])],
        sheets: ['samples.css'],
      }),
    allHistory: (model: AllHistoryModel) =>
      page('allHistory', allHistoryView(model), model, { ...titled('History'), sheets: ['lab.css'] }),
    loras: (model: LorasModel) => page('loras', lorasView(model), model, { ...titled('LoRAs'), sheets: ['lab.css'] }),
    lora: (model: LoraModel) =>
      page('lora', loraView(model), model, {
        ...titled(model.lora.name),
        sheets: ['lab.css'],
        stream: `${sessionAddress(model.root, model.session.name)}/events?log=none`,
      }),
    relaunch: (model: RelaunchModel) =>
      page('relaunch', relaunchView(model), model, { ...titled('Relaunch'), sheets: ['lab.css'] }),
    import: (model: ImportModel) =>
      page('import', importView(model), model, { ...titled('Import and backup'), sheets: ['lab.css'] }),
    /** A whole document of its own, without the frame. */
    report(model: ReportModel) {
      const sheet = options.assets.find(options.assets.href('report.css').replace(/^.*\//, ''));
      return render('pages/report', reportView(model, sheet?.bytes.toString() ?? ''), model);
    },
    trash: (model: TrashModel) => page('trash', trashView(model), model, { ...titled('Trash'), sheets: ['lab.css'] }),
    history: (model: HistoryModel) =>
      page('history', historyView(model), model, titled(`History of ${titleName(model.session)}`)),
    historyVersion: (model: HistoryVersionModel) =>
      page('historyVersion', historyVersionView(model), model, titled(`History of ${titleName(model.session)}`)),
    datasets: (model: DatasetsModel) =>
      page('datasets', datasetsView(model), model, { ...titled('Datasets'), scripts: PICTURES }),
    dataset: (model: DatasetModel) =>
      page('dataset', datasetView(model), model, { ...titled(model.dataset.name), scripts: PICTURES }),
    secrets: (model: SecretsModel) => page('secrets', secretsView(model), model, titled('Secrets')),
    pod: (model: PodModel) =>
      page('pod', podView(model), model, { ...titled('Pod'), stream: `${model.root}pod/events` }),
    /** What goes inside `#podNow`. */
    podNow: (model: PodModel) => renderRegion('parts/podNow', podNowView(model), model),
    podCancel: (model: PodCancelView) => render('pages/podCancel', model, { root: model.root, now: new Date(0) }),
    notices: (model: NoticesModel) =>
      page('notices', noticesView(model), model, { ...titled('Notices'), stream: `${model.root}notices/events` }),
    /** What goes inside `#sent`. */
    sentNotices: (model: NoticesModel) => renderRegion('parts/sent', sentView(model), model),
    diagnostics: (model: DiagnosticsModel) => page('diagnostics', diagnosticsView(model), model, titled('Diagnostics')),
    api: (model: ApiModel) => page('api', apiView(model), model, { ...titled('API'), sheets: ['api.css'] }),
    shares: (model: SharesModel) => page('shares', sharesView(model), model, titled('Read-only links')),
    /** What a read-only link opens, in a frame of its own. */
    sharedList: (model: SharedListModel) => render('pages/sharedList', sharedListView(model), model),
    shared: (model: SharedModel) => render('pages/shared', sharedView(model), model),
    trainers: (model: TrainersModel) => page('trainers', trainersView(model), model, titled('Trainers')),
    sweeps: (model: SweepsModel) => page('sweeps', sweepsView(model), model, titled('Sweeps')),
    sweep: (model: SweepModel) =>
      page('sweep', sweepView(model), model, {
        ...titled(`Sweep of ${model.sweep.lora_name}`),
        sheets: ['compare.css'],
      }),
    vote: (model: VoteModel) => page('vote', voteView(model), model, { ...titled('Vote'), sheets: ['compare.css'] }),
    templates: (model: TemplatesModel) => page('templates', templatesView(model), model, titled('Templates')),
    machine: (model: MachineModel) =>
      page('machine', machineView(model), model, {
        ...titled('Machine'),
        stream: `${model.root}machine/events`,
        sheets: ['machine.css'],
      }),
    machinePart: (model: MachineModel) => renderRegion('parts/machine', machineView(model), model),
    purge: (model: PurgeModel) => page('purge', purgeView(model), model, titled('Cleanup')),
    queue: (model: QueueModel) =>
      page('queue', queueView(model), model, {
        ...titled('Queue'),
        stream: `${model.root}queue/events`,
        scripts: ['queue.js'],
        sheets: ['queue.css'],
      }),
    queuePart: (model: QueueModel) => renderRegion('parts/queue', queueView(model), model),
    models: (model: ModelsModel) =>
      page('models', modelsView(model), model, {
        ...titled('Models'),
        stream: `${model.root}models/events`,
        sheets: ['models.css'],
      }),
    /** What goes inside each live region of the page of models, by the region's id. */
    modelParts(model: ModelsModel): Record<string, Region> {
      const view = modelsView(model);
      const names = ['downloads', 'needs', 'modelFiles'] as const;
      return Object.fromEntries(names.map((name) => [name, renderRegion(`parts/${name}`, view, model)]));
    },
    problem({ root, ...problem }: ProblemModel) {
      const around = { root, now: new Date(0), active: [] };
      const body = render('pages/problem', problemView({ root, ...problem }), around);
      return render(
        'layout',
        layoutView(around, { page: 'problem', title: 'Trackside', stream: null }, body, false),
        around,
      );
    },
    login: (model: LoginModel) => render('pages/login', model, { root: model.root, now: new Date(0) }),
    /** Titles of the browser's tab: "(2) Trackside", "64 % · my-cat V3". */
    homeTitle,
    sessionTitle: ({ session }: Pick<SessionModel, 'session'>) => sessionTitle(session),
  };
}

type PageName = keyof { [Name in keyof Templates as Name extends `pages/${infer Page}` ? Page : never]: Name };

const titled = (name: string) => ({ title: `${name} · Trackside` });

/** Characters of regions, and of what they were drawn from. */
const MOST_DRAWN = 2_000_000;

function lengthOf({ html, lists }: Region): number {
  const rows = [...lists.values()].flatMap((list) => [...list.values()]);
  return rows.reduce((sum, row) => sum + row.length, html.length);
}

/** In this order: the last uses what the first gives. */
const PICTURES = ['sending.js', 'captions.js', 'dataset.js', 'pictures.js'];
