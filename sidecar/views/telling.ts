import type { SessionFacts } from '../sessions/facts.js';
import { liveOnes } from '../sessions/outputs/active.js';
import type { Happening } from '../sessions/outputs/happened.js';
import { sessionAddress } from './action.js';
import { sentence } from './formatting.js';
import type { PageModel } from './frame.js';
import type { News } from './news.js';
import { statusWord } from './status.js';

/** Of what is told as it happens. */
const TOLD: readonly Happening['what'][] = ['completed', 'failed', 'interrupted', 'stalled', 'resumed'];
const MOST_TOLD = 10;

/** `session` is the one that the page is about. As JSON: what is the same is not sent again. */
export function newsOf({ active, happened = [] }: PageModel, session?: SessionFacts): string {
  const news: News = {
    icon: iconOf(session ?? firstToEnd(active)),
    said: session ? `${session.lora_name} V${session.version}: ${statusWord(session.status)}` : null,
    sample: session?.newest_sample ?? null,
    happened: happened
      .filter(({ what }) => TOLD.includes(what))
      .slice(0, MOST_TOLD)
      .map((each) => ({
        id: each.id,
        words: `${each.lora_name} V${each.version} ${wordsOf(each)}`,
        href: sessionAddress('', each.name),
        bad: each.what === 'failed' || each.what === 'stalled',
      })),
  };
  return JSON.stringify(news);
}

/** "64 %" of the training that runs and will end first; null without one. */
export function firstToEnd(active: readonly SessionFacts[]): SessionFacts | undefined {
  const percent = ({ progress }: SessionFacts) => progress.percent ?? -1;
  return [...liveOnes(active)].sort((a, b) => percent(b) - percent(a))[0];
}

function iconOf(session: SessionFacts | undefined): News['icon'] {
  if (!session || session.status === 'draft') return null;
  if (session.status === 'completed') return { percent: 100, tone: 'done' };
  if (session.status === 'failed') return { percent: null, tone: 'fail' };
  const { percent } = session.progress;
  return { percent: percent === null ? null : Math.floor(percent), tone: 'run' };
}

export type SinceView = {
  from: string;
  rows: { href: string; name: string; words: string; at: string }[];
  more: number;
};

const MOST_ROWS = 5;

/** "Since you last looked" on the home page; null where nothing happened. */
export function sinceView(since: string | null, all: readonly Happening[], root: string): SinceView | null {
  if (since === null || all.length === 0) return null;
  const rows = all.slice(0, MOST_ROWS).map((each) => ({
    href: sessionAddress(root, each.name),
    name: `${each.lora_name} V${each.version}`,
    words: wordsOf(each),
    at: each.at,
  }));
  return { from: since, rows, more: all.length - rows.length };
}

function wordsOf({ what, reason }: Happening): string {
  const why =
    reason === null ? '.' : `: ${sentence(reason).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())}`;
  if (what === 'stalled') return 'stalled: it makes no progress.';
  if (what === 'completed') return 'completed.';
  return `${ENDS[what]}${why}`;
}

const ENDS = {
  failed: 'failed',
  interrupted: 'was interrupted',
  stopped: 'was stopped',
  resumed: 'was resumed automatically',
};
