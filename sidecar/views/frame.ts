import { type BannerModel, type BannerView, bannerView } from './banner.js';
import { bytes } from './formatting.js';

/** What every page is given. `root` leads from the page's address back to the site's root: '', '../' or '../../'. */
export type PageModel = Omit<BannerModel, 'page'> & {
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
  banner: BannerView | null;
  /** The page itself, as HTML. */
  body: string;
};

/** What differs from page to page; `stream` is the one of every page where it is absent. */
export type PageFrame = Pick<LayoutView, 'title' | 'page'> & Partial<Pick<LayoutView, 'scripts' | 'sheets' | 'stream'>>;

export function layoutView(model: PageModel, frame: PageFrame, body: string, logout: boolean): LayoutView {
  const { root, disk } = model;
  const depth = root.length / 3;
  const usual = stream(root, { depth: depth ? String(depth) : '' });
  return {
    ...frame,
    scripts: frame.scripts ?? [],
    sheets: frame.sheets ?? [],
    stream: frame.stream === undefined ? usual : frame.stream,
    links: LINKS.map(({ path, label, pages }) => ({
      href: `${root}${path}` || './',
      label,
      current: pages.includes(frame.page),
    })),
    free: disk ? bytes(disk.freeBytes) : null,
    logout,
    banner:
      frame.page === 'problem' ? null : bannerView({ ...model, page: frame.page === 'home' ? 'home' : undefined }),
    body,
  };
}

const LINKS = [
  { path: '', label: 'Sessions', pages: ['home'] },
  { path: 'new', label: 'New training', pages: ['new'] },
  { path: 'datasets', label: 'Datasets', pages: ['datasets', 'dataset'] },
  { path: 'models', label: 'Models', pages: ['models'] },
  { path: 'trainers', label: 'Trainers', pages: ['trainers'] },
  { path: 'secrets', label: 'Secrets', pages: ['secrets'] },
];

/** The address of the page's one stream: what the page shows is in the query, so that updates show the same. */
export function stream(base: string, query: Record<string, string>): string {
  const given = Object.entries(query).filter(([, value]) => value);
  return `${base}events${given.length ? `?${new URLSearchParams(given)}` : ''}`;
}
