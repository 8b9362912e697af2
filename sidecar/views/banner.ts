import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { liveOnes } from '../sessions/outputs/active.js';
import { isAlive } from '../sessions/status/alive.js';
import { inQueueOrder, isChangeable } from '../sessions/status/queued.js';
import { callOff, nextAction, sessionAddress } from './action.js';
import { count, joined, loss, pace, percent, timeLeft } from './formatting.js';
import { thumbnail } from './sessions.js';
import { statusView } from './status.js';
import { type Words, whyView } from './why.js';

export type BannerModel = {
  root: string;
  now: Date;
  /** The active sessions; on a session's own page the others. What lives first, then newest first. */
  active: SessionFacts[];
  /** The page of the banner, `home` or another: what an action leads back to. Sent as the field `page`. */
  page?: 'home' | undefined;
};

/** `href` leads to the page of the group. */
export type BannerView = { groups: { title: string; href: string | null; cards: CardView[] }[] };

/** One session of the banner, or the one a page is about. */
export type CardView = ReturnType<typeof cardView>;

/** The Active Sessions banner: what runs, and what waits for a person. */
export function bannerView({ active, root, page }: BannerModel): BannerView {
  const queued = inQueueOrder(active);
  const isQueued = ({ queue }: SessionFacts) => queue !== null;
  const running = liveOnes(active).filter((session) => !isQueued(session));
  const waiting = active.filter((session) => !running.includes(session) && !isQueued(session));
  const groups = [
    { title: 'Running', sessions: running },
    { title: 'In the queue', href: `${root}queue`, sessions: queued },
    { title: 'Needs you', sessions: waiting },
  ];
  return {
    groups: groups
      .filter(({ sessions }) => sessions.length > 0)
      .map(({ title, href = null, sessions }) => ({
        title,
        href,
        cards: sessions.map((each) => bannerCard(each, root, page)),
      })),
  };
}

/** On another page a card has no Stop: it would stand where that page's own buttons are looked for. */
function bannerCard(session: SessionFacts, root: string, page?: 'home'): CardView {
  const card = cardView(session, root, page);
  return page === 'home' || session.next !== 'stop' ? card : { ...card, action: null };
}

export function cardView(session: SessionFacts, root: string, page?: 'home') {
  const { progress } = session;
  const { eta_seconds: left, eta_guessed: guessed } = progress;
  const alive = isAlive(session.status);
  const at = sessionAddress(root, session.name);
  const last = session.attempts.at(-1);
  return {
    /** Unique on a page, and the same in every update, so that a morph finds it again. */
    id: `card-${encodeURIComponent(session.name)}`,
    name: session.name,
    lora: session.lora_name,
    version: versionName(session),
    href: at,
    thumbnail: thumbnail(session, root),
    status: statusView(session),
    /** "step 612 of 960 · epoch 11 of 16" */
    progress: isChangeable(session) ? [] : progressWords(progress),
    /** 0 to 100 for `<progress>`; null where it runs and that is not known yet. */
    percent: progress.percent ?? (alive ? null : 0),
    percentText: isChangeable(session) ? '' : percent(progress.percent),
    /** "loss 0.118 · 2.1 s per step", or empty. */
    pace: joined(
      progress.loss !== null && `loss ${loss(progress.loss)}`,
      alive && progress.seconds_per_step !== null && `${pace(progress.seconds_per_step)} per step`,
    ),
    /** "12 min left", or empty. */
    left: alive ? (left === null ? 'estimating time left' : timeLeft(left, guessed)) : '',
    /** ISO, or seconds since 1970. */
    started: session.by_hand?.since ?? last?.started_at ?? session.timestamp,
    ended: alive ? null : (last?.ended_at ?? session.completed_at),
    action: nextAction(session, root, page),
    /** Calls off a resume that is about to happen by itself. */
    callOff: callOff(session, root, page),
    why: whyView(session),
  };
}

function progressWords({ step, total_steps: total, epoch, epochs }: SessionFacts['progress']): Words[] {
  const inEpoch = epoch === null ? '' : ` · epoch ${count(epoch)} of ${count(epochs)}`;
  if (step === null) return [{ text: `no steps yet${inEpoch}`, strong: false }];
  const of = total === null ? '' : ` of ${count(total)}`;
  return [
    { text: 'step ', strong: false },
    { text: count(step), strong: true },
    { text: of + inEpoch, strong: false },
  ];
}
