import { logged, repeatedly } from '../../caught.js';
import type { Notices } from '../../live/notices.js';
import { log } from '../../log.js';
import type { Outbox } from '../../notices/outbox.js';
import type { Meter } from '../../pods/meter.js';
import type { PodSettings } from '../../pods/podSettings.js';
import { type Stopping, stopAttempt } from '../attempt/stop.js';
import type { SessionFacts } from '../facts.js';
import { changeQueue } from '../queue/order.js';
import { inQueueOrder } from '../status/queued.js';
import { attemptKey, type NoticeWords, pageNotice } from './noticeWords.js';

const LOOK_MS = 1000;
const NEAR = 0.8;

type Parts = NoticeWords & Stopping & { settings(): PodSettings; meter: Meter; outbox: Outbox; notices: Notices };

/**
 * Holds the spending limit: warns at four fifths of it, and at the whole of it stops each training after its next
 * checkpoint, and holds the queue. One that saves no states would lose everything, and is only told of.
 */
export function watchSpending(parts: Parts) {
  const { meter, outputs, notices } = parts;
  /** Attempts that were asked to stop, or can't be; and what was put on hold. */
  const asked = new Set<string>();

  const { open, close } = repeatedly('spending', LOOK_MS, async () => {
    const { limit } = parts.settings();
    const { spent, since } = meter.facts();
    if (limit === 0 || spent < limit * NEAR) return notices.end('spending');
    const words = `$${spent.toFixed(2)} of $${limit.toFixed(2)} are spent.`;
    if (spent < limit) {
      tell(`spending:near:${since}:${limit}`, 'The spending limit is near', words);
      return notices.tell('spending', `The spending limit is near: ${words}`);
    }
    notices.tell('spending', `The spending limit is reached: ${words} Trainings stop after their next checkpoint.`);
    const said: string[] = [];
    const all = await outputs.list();
    for (const facts of all) said.push(...(await stop(facts)));
    for (const { name, attempts } of inQueueOrder(all)) said.push(...(await hold(name, attempts.length)));
    const end = said.length > 0 ? said.join('\n') : 'No training runs.';
    tell(`spending:reached:${since}:${limit}`, 'The spending limit is reached', `${words}\n${end}`);
  });

  async function stop(facts: SessionFacts): Promise<string[]> {
    const { name, status } = facts;
    const latest = facts.attempts.at(-1);
    if (!latest?.alive || (status !== 'running' && status !== 'starting')) return [];
    return once(attemptKey(facts, latest), name, async () => {
      if (facts.by_hand || !facts.stop_cost?.saves)
        return `${name} saves no states, so it keeps training: stop it yourself.`;
      await stopAttempt(parts, name, { when: 'after-save' });
      return `${name} stops after its next checkpoint.`;
    });
  }

  function hold(name: string, attempts: number): Promise<string[]> {
    return once(`queued ${name}:${attempts}`, name, async () => {
      await changeQueue({ outputs }, { session: name, held: true });
      return `${name} waits in the queue, on hold.`;
    });
  }

  /** Once: a person who lets it go on afterwards may. What fails holds up no other, and is tried again with the next look. */
  async function once(key: string, name: string, work: () => Promise<string>): Promise<string[]> {
    if (asked.has(key)) return [];
    asked.add(key);
    try {
      return [await work()];
    } catch (error) {
      asked.delete(key);
      log.warn('pod', 'At the spending limit, a session could not be stopped.', { session: name, error });
      return [`${name} could not be stopped. ${(error as Error).message}`];
    }
  }

  function tell(id: string, title: string, text: string): void {
    const notice = pageNotice('spending', id, { title, text }, 'pod', parts);
    void parts.outbox.tell(notice).catch(logged('pod', 'A notice could not be put into the outbox.'));
  }

  return { open, close };
}
