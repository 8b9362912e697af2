import type { SessionFacts } from '../sessions/facts.js';
import type { DiskTrouble } from '../telemetry/diskTrouble.js';
import { callOff, nextAction, sessionAddress } from './action.js';
import { sparkline } from './chart.js';
import { troubleWords } from './disk.js';
import { count, duration, joined, loss, pace, percent } from './formatting.js';
import { isAlive, statusView } from './status.js';
import { type Words, whyView } from './why.js';

export type BannerModel = {
  root: string;
  now: Date;
  /** The Active Sessions; on a session's own page the others. What lives first, then newest first. */
  active: SessionFacts[];
  /** Folders that can't be written now. */
  troubles?: DiskTrouble[];
  /** What everybody should know, in words. */
  notices?: string[];
  /** What an action leads back to: `home` or, where absent, the session's page. Sent as the field `page`. */
  page?: 'home' | undefined;
};

export type BannerView = { title: string; summary: string; cards: CardView[]; troubles: string[] };

/** One session of the banner, or the one a page is about. */
export type CardView = ReturnType<typeof cardView>;

/** The Active Sessions banner, in the order of the list below it: a draft made just now, or a resume, is new too. */
export function bannerView(model: BannerModel): BannerView {
  return {
    ...headline(model.active),
    cards: model.active.map((session) => cardView(session, model.root, model.page)),
    troubles: [...(model.troubles ?? []).map(troubleWords), ...(model.notices ?? [])],
  };
}

export function cardView(session: SessionFacts, root: string, page?: 'home') {
  const { progress } = session;
  const { eta_seconds: left } = progress;
  const alive = isAlive(session.status);
  const at = sessionAddress(root, session.name);
  const last = session.attempts.at(-1);
  return {
    /** Unique on a page, and the same in every update, so that a morph finds it again. */
    id: `card-${encodeURIComponent(session.name)}`,
    name: session.name,
    lora: session.lora_name,
    version: session.version,
    href: at,
    thumbnail: session.newest_sample ? `${at}/samples/${encodeURIComponent(session.newest_sample)}` : null,
    status: statusView(session),
    /** "step 612 of 960 · epoch 11 of 16" */
    progress: session.status === 'draft' ? [] : progressWords(progress),
    /** 0 to 100 for `<progress>`; null where it runs and that is not known yet. */
    percent: progress.percent ?? (alive ? null : 0),
    percentText: session.status === 'draft' ? '' : percent(progress.percent),
    /** "loss 0.118 · 2.1 s per step", or empty. */
    pace: joined(
      progress.loss !== null && `loss ${loss(progress.loss)}`,
      alive && progress.seconds_per_step !== null && `${pace(progress.seconds_per_step)} per step`,
    ),
    /** "12 min left", or empty. */
    left: alive ? (left === null ? 'estimating time left' : `${duration(left)} left`) : '',
    /** ISO, or seconds since 1970. */
    started: session.by_hand?.since ?? last?.started_at ?? session.timestamp,
    ended: alive ? null : (last?.ended_at ?? session.completed_at),
    spark: sparkline(session.loss_curve),
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

function headline(sessions: SessionFacts[]): Pick<BannerView, 'title' | 'summary'> {
  const running = sessions.filter(({ status }) => isAlive(status)).length;
  const resumable = sessions.filter(({ next }) => next === 'resume').length;
  const failed = sessions.filter(({ status, next }) => status === 'failed' && next !== 'resume').length;
  const counts = [
    running && `${running} running`,
    resumable && `${resumable} can be resumed`,
    failed && `${failed} failed`,
  ];
  return {
    title: running === 0 ? 'Recent' : running === sessions.length ? 'Running' : 'Running and recent',
    summary: counts.filter(Boolean).join(', '),
  };
}
