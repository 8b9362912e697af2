import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { logged, repeatedly } from '../../caught.js';
import type { Notices } from '../../live/notices.js';
import { log } from '../../log.js';
import type { Outbox } from '../../notices/outbox.js';
import type { PodSettings } from '../../pods/podSettings.js';
import { podSeconds } from '../../pods/podUptime.js';
import type { Provider } from '../../pods/provider.js';
import type { SessionFacts } from '../facts.js';
import { attemptKey, type NoticeWords, pageNotice } from './noticeWords.js';
import { openPodStopRecord } from './podStopRecord.js';

const LOOK_MS = 1000;
/** The most seconds of a countdown that pass between two looks: after more, this process or the machine was asleep. */
const MOST_SECONDS_A_LOOK = 2;
const TRIES = 3;

export type PodStopFacts = {
  phase: 'off' | 'waiting' | 'counting' | 'uploading' | 'stopping' | 'stopped' | 'cancelled' | 'failed';
  /** Whole seconds left of the countdown; null outside of it. */
  seconds: number | null;
  /** Why it does not stop now, or what failed, in words; null with nothing to say. */
  why: string | null;
};

export type PodStopParts = NoticeWords & {
  folder: string;
  settings(): PodSettings;
  provider(): { provider: Provider | null; missing: string | null };
  sessions(): Promise<SessionFacts[]>;
  /** Why the pod must not be stopped now, in words. */
  busy(): Promise<string | null>;
  /** Uploads the weights of sessions and checks that they arrived. Rejects with words. */
  saveWeights(sessions: readonly SessionFacts[], uploaded: Record<string, string>): Promise<Record<string, string>>;
  /** Names of final weights that were never downloaded from here. */
  notDownloaded(sessions: readonly SessionFacts[]): Promise<string[]>;
  outbox: Outbox;
  notices: Notices;
  changed(): void;
  /** Seconds: between two tries to stop, and until a stop has to have worked. */
  patience: { again: number; worked: number };
};

export type PodStop = ReturnType<typeof createPodStop>;

/**
 * Stops the pod by itself, some minutes after the last training has ended: counts down where everybody sees it and may
 * cancel it, uploads the weights, asks the provider, and reads back whether it did. Never while anything is going on, and
 * never on a pod on which nothing was trained.
 */
export function createPodStop(parts: PodStopParts) {
  const record = openPodStopRecord(parts.folder);
  let facts: PodStopFacts = { phase: 'off', seconds: null, why: null };
  let left: number | null = null;
  let lookedAt = performance.now();
  let closed = false;
  let working = false;

  function show(phase: PodStopFacts['phase'], why: string | null = null): void {
    const seconds = phase === 'counting' && left !== null ? Math.max(0, Math.ceil(left)) : null;
    const same = facts.phase === phase && facts.why === why;
    facts = { phase, seconds, why };
    const minutes = seconds === null ? 0 : Math.ceil(seconds / 60);
    const inTime = minutes > 1 ? `in ${minutes} minutes` : 'within a minute';
    if (phase === 'counting')
      parts.notices.tell(
        'pod',
        `This pod stops ${inTime}, because the last training has ended. Cancel that on the Pod page.`,
      );
    else if (phase === 'failed')
      parts.notices.tell('pod', `This pod did not stop, and still costs money. ${why ?? ''}`);
    else parts.notices.end('pod');
    if (!same) parts.changed();
  }

  async function look(): Promise<void> {
    const elapsed = Math.min((performance.now() - lookedAt) / 1000, MOST_SECONDS_A_LOOK);
    lookedAt = performance.now();
    if (working) return;
    const { stops, minutes } = parts.settings();
    if (!stops) return rest('off');
    const { missing } = parts.provider();
    if (missing) return rest('waiting', missing);
    const busy = await parts.busy();
    if (busy) return rest('waiting', busy);
    const ended = endedHere(await parts.sessions());
    const after = ended[0]?.key ?? '';
    if (after === '') return rest('waiting', 'No training has ended on this pod yet.');
    const { outcome, problem } = record.now();
    if (record.now().after === after && outcome !== 'none') return rest(outcome, problem);
    if (left === null || record.now().after !== after) await begin(after, minutes * 60, ended);
    else left -= elapsed;
    show('counting');
    if ((left ?? 1) <= 0) void stopNow(after, ended).catch(logged('pod', 'The pod could not be stopped.'));
  }

  function rest(phase: PodStopFacts['phase'], why: string | null = null): void {
    left = null;
    show(phase, why);
  }

  async function begin(after: string, seconds: number, ended: Ended): Promise<void> {
    left = seconds;
    const ticket = randomBytes(24).toString('base64url');
    await record.set({ after, outcome: 'none', problem: null, ticket });
    const at = parts.pageAt(`pod/cancel/${ticket}`);
    const { provider } = parts.provider();
    const lost = await parts.notDownloaded(ended.map(({ facts }) => facts));
    const minutes = Math.max(1, Math.round(seconds / 60));
    const lines = [
      'The last training has ended, and nothing else runs.',
      lost.length > 0 && !parts.settings().upload ? `Not downloaded yet: ${lost.join(', ')}.` : '',
      provider?.leaves ?? '',
    ];
    tell(`pod:counting:${ticket}`, `The pod stops in ${minutes} min`, lines.filter(Boolean).join('\n'), at);
  }

  async function stopNow(after: string, ended: Ended): Promise<void> {
    working = true;
    try {
      show('uploading');
      const sessions = ended.map(({ facts }) => facts);
      if (parts.settings().upload)
        await record.set({ uploaded: await parts.saveWeights(sessions, record.now().uploaded) });
      // Much may have happened during an upload.
      if ((await parts.busy()) !== null || record.now().outcome !== 'none') return;
      show('stopping');
      await askAndReadBack();
      await record.set({ outcome: 'stopped' });
      log.info('pod', 'The pod was stopped.', { after });
    } catch (error) {
      const problem = (error as Error).message;
      log.error('pod', 'The pod could not be stopped.', { why: problem });
      await record.set({ outcome: 'failed', problem });
      const text = `${problem}\nIt is still running, and costs money: check it, or stop it at your provider.`;
      tell(`pod:failed:${after}:${Date.now()}`, 'The pod did not stop', text, null);
    } finally {
      working = false;
      left = null;
    }
  }

  /** Throws an Error with words if the pod still runs. */
  async function askAndReadBack(): Promise<void> {
    let problem = '';
    for (let attempt = 0; attempt < TRIES && !closed; attempt += 1) {
      if (attempt > 0) await wait(parts.patience.again * 1000);
      const { provider } = parts.provider();
      if (!provider)
        throw new Error('Trackside does not know how to stop this pod. Choose a provider on the Pod page.');
      problem = await provider.stop().then(
        () => '',
        (error: Error) => error.message,
      );
      const end = performance.now() + parts.patience.worked * 1000;
      while (performance.now() < end && !closed) {
        if ((await provider.look()).is === 'stopped') return;
        if (problem) break;
        await wait(Math.min(2000, parts.patience.worked * 200));
      }
      problem ||= `${provider.name} accepted the request, but the pod is still running.`;
    }
    throw new Error(problem);
  }

  function tell(id: string, title: string, text: string, cancel: string | null): void {
    const actions = cancel ? [{ label: 'Keep it running', url: cancel, method: 'POST' as const }] : [];
    const notice = { ...pageNotice('pod', id, { title, text }, 'pod', parts), actions };
    void parts.outbox.tell(notice).catch(logged('pod', 'A notice could not be put into the outbox.'));
  }

  const looking = repeatedly('pod', LOOK_MS, look);
  return {
    facts: () => facts,
    /** Is this the one-time word of the countdown under way? */
    isTicket(word: string): boolean {
      const [given, known] = [Buffer.from(word), Buffer.from(record.now().ticket)];
      return known.length > 0 && given.length === known.length && timingSafeEqual(given, known);
    },
    /** Keeps the pod running until another training has ended. */
    async cancel(): Promise<void> {
      if (!record.now().after || record.now().outcome === 'stopped') return;
      await record.set({ outcome: 'cancelled', ticket: '' });
      log.info('pod', 'The stop of the pod was cancelled.');
      await looking.now();
    },
    /** Counts down again, after a cancellation or a failure. */
    async again(): Promise<void> {
      left = null;
      await record.set({ outcome: 'none', problem: null, ticket: '' });
      await looking.now();
    },
    open: looking.open,
    close() {
      closed = true;
      looking.close();
    },
  };
}

type Ended = { facts: SessionFacts; key: string }[];

/** The sessions whose last attempt has ended on this pod, the newest end first. */
function endedHere(sessions: readonly SessionFacts[]): Ended {
  const begun = Date.now() - (podSeconds() ?? 0) * 1000;
  return sessions
    .flatMap((facts) => {
      const latest = facts.attempts.at(-1);
      if (!latest?.ended_at || Date.parse(latest.ended_at) < begun) return [];
      return [{ facts, at: latest.ended_at, key: attemptKey(facts, latest) }];
    })
    .sort((a, b) => b.at.localeCompare(a.at));
}
