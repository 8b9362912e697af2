import { type BannerModel, bannerView } from './banner.js';

/** What every page is given. `root` leads from the page's address back to the site's root: '', '../' or '../../'. */
export type PageModel = Omit<BannerModel, 'page'> & {
  /** Free space where outputs are written, in bytes; null where unknown. */
  disk?: { freeBytes: number; totalBytes: number } | null;
};

/** What the layout shows around a page. */
export function frame(model: PageModel) {
  const depth = model.root.length / 3;
  return {
    root: model.root,
    now: model.now,
    disk: model.disk ?? null,
    banner: bannerView(model),
    stream: stream(model.root, { depth: depth ? String(depth) : '' }),
  };
}

/** The address of the page's one stream: what the page shows is in the query, so that updates show the same. */
export function stream(base: string, query: Record<string, string>): string {
  const given = Object.entries(query).filter(([, value]) => value);
  return `${base}events${given.length ? `?${new URLSearchParams(given)}` : ''}`;
}
