/** What the page's script tells (telling.js). Addresses are from the site's root on. */
export type News = {
  /** Of the tab's icon: the training of the page, or the one that runs and will end first. Null without one. */
  icon: { percent: number | null; tone: 'run' | 'done' | 'fail' } | null;
  /** For a screen reader, when it changes. */
  said: string | null;
  /** The newest sample of the page's training. */
  sample: string | null;
  happened: { id: string; words: string; href: string; bad: boolean }[];
};
