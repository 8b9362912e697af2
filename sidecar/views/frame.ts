import type { Notice } from '../live/notices.js';
import type { Happening } from '../sessions/outputs/happened.js';
import type { DiskTrouble } from '../telemetry/diskTrouble.js';
import { type BannerModel, type BannerView, bannerView } from './banner.js';
import { troublesWords } from './disk.js';
import { bytes } from './formatting.js';

/** What every page is given. `root` leads from the page's address back to the site's root: '', '../' or '../../'. */
export type PageModel = Omit<BannerModel, 'page'> & {
  /** Folders that can't be written now. */
  troubles?: DiskTrouble[];
  /** What everybody should know, in words. */
  notices?: Pick<Notice, 'message' | 'since'>[];
  /** The session that the page is about: it stands in no banner. */
  without?: string | undefined;
  /** What happened to trainings lately, newest first. */
  happened?: Happening[];
  /** The name of the cookie that says when this browser looked last (routes/lastLook.ts). */
  looked?: string;
  /** Free space where outputs are written, in bytes; null where unknown. */
  disk?: { freeBytes: number; totalBytes: number } | null;
};

/** What the layout shows around a page. */
export type LayoutView = {
  title: string;
  /** The page's own name, as the class of its main element. */
  page: string;
  links: { href: string; label: string; current: boolean }[];
  scripts: readonly string[];
  /** Style sheets of this page alone. */
  sheets: readonly string[];
  /** The address of its one stream; null where nothing on it changes. */
  stream: string | null;
  /** "77 GB", or null. */
  free: string | null;
  logout: boolean;
  /** Null on the home page, whose own content it is, and where nothing is known of sessions. */
  troubles: TroublesView;
  banner: BannerView | null;
  /** It stands behind a session's page, whose buttons must stay where they are when another training ends. */
  bannerLast: boolean;
  /** The pages of the menu; `current` if the page is one of them. */
  more: { links: LayoutView['links']; current: boolean };
  looked: string | null;
  /** The page itself, as HTML. */
  body: string;
};

/** What differs from page to page; `stream` is the one of every page where it is absent. */
export type PageFrame = Pick<LayoutView, 'title' | 'page'> & Partial<Pick<LayoutView, 'scripts' | 'sheets' | 'stream'>>;

export function layoutView(model: PageModel, frame: PageFrame, body: string, logout: boolean): LayoutView {
  const { root, disk } = model;
  const depth = root.length / 3;
  const usual = stream(root, { depth: depth ? String(depth) : '', without: model.without ?? '' });
  return {
    ...frame,
    scripts: frame.scripts ?? [],
    sheets: frame.sheets ?? [],
    stream: frame.stream === undefined ? usual : frame.stream,
    links: links(LINKS, root, frame.page),
    more: { links: links(MORE, root, frame.page), current: MORE.some(({ pages }) => pages.includes(frame.page)) },
    free: disk ? bytes(disk.freeBytes) : null,
    logout,
    troubles: troublesView(model),
    banner: frame.page === 'problem' || frame.page === 'home' ? null : bannerView(model),
    bannerLast: frame.page === 'session',
    looked: model.looked ?? null,
    body,
  };
}

/** What every page says above all. */
export type TroublesView = { troubles: { words: string; since: string | null }[] };

export function troublesView({ troubles = [], notices = [] }: Pick<PageModel, 'troubles' | 'notices'>): TroublesView {
  const told = notices.map(({ message, since }) => ({ words: message, since }));
  return { troubles: [...troublesWords(troubles).map((words) => ({ words, since: null })), ...told] };
}

function links(of: typeof LINKS, root: string, page: string): LayoutView['links'] {
  return of.map(({ path, label, pages }) => ({
    href: `${root}${path}` || './',
    label,
    current: pages.includes(page),
  }));
}

const LINKS = [
  {
    path: '',
    label: 'Sessions',
    pages: ['home', 'session', 'samples', 'charts', 'compare', 'log', 'history', 'historyVersion'],
  },
  { path: 'datasets', label: 'Datasets', pages: ['datasets', 'dataset'] },
];

const MORE = [
  { path: 'loras', label: 'LoRAs', pages: ['loras', 'lora'] },
  { path: 'history', label: 'History', pages: ['allHistory'] },
  { path: 'import', label: 'Import and backup', pages: ['import'] },
  { path: 'trash', label: 'Trash', pages: ['trash'] },
  { path: 'queue', label: 'Queue', pages: ['queue'] },
  { path: 'sweeps', label: 'Sweeps', pages: ['sweeps', 'sweep', 'vote'] },
  { path: 'templates', label: 'Templates', pages: ['templates'] },
  { path: 'machine', label: 'Machine', pages: ['machine'] },
  { path: 'purge', label: 'Cleanup', pages: ['purge'] },
  { path: 'models', label: 'Models', pages: ['models'] },
  { path: 'trainers', label: 'Trainers', pages: ['trainers'] },
  { path: 'pod', label: 'Pod', pages: ['pod'] },
  { path: 'notices', label: 'Notices', pages: ['notices'] },
  { path: 'secrets', label: 'Secrets', pages: ['secrets'] },
  { path: 'shares', label: 'Read-only links', pages: ['shares'] },
  { path: 'diagnostics', label: 'Diagnostics', pages: ['diagnostics'] },
  { path: 'api', label: 'API', pages: ['api'] },
];

/** The address of the page's one stream: what the page shows is in the query, so that updates show the same. */
export function stream(base: string, query: Record<string, string>): string {
  const given = Object.entries(query).filter(([, value]) => value);
  return `${base}events${given.length ? `?${new URLSearchParams(given)}` : ''}`;
}
