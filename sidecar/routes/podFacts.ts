import { sessionCost } from '../sessions/watchers/sessionCost.js';
import type { Trackside } from '../trackside.js';

const MOST_SESSIONS = 12;

export type PodFacts = Awaited<ReturnType<typeof podFacts>>;

/** What the pod costs and has cost, in US dollars, and whether it stops by itself. Of a key it says whether there is one. */
export async function podFacts({ pod, outputs, machine }: Trackside) {
  const { key, ...settings } = pod.store.now();
  const price = pod.price();
  const { provider, missing } = pod.provider();
  const gpus = machine.facts().now?.gpus.length ?? 0;
  const trained = (await outputs.list()).filter(({ attempts }) => attempts.length > 0).slice(0, MOST_SESSIONS);
  return {
    price,
    ...pod.meter.facts(),
    settings: { ...settings, key: key !== '' },
    provider: provider && { id: provider.id, name: provider.name, leaves: provider.leaves },
    missing,
    stop: pod.stop.facts(),
    sessions: price === null ? [] : trained.map((facts) => sessionOf(facts, price, gpus)),
  };
}

function sessionOf(facts: Parameters<typeof sessionCost>[0], price: number, gpus: number) {
  const { name, lora_name, version, status } = facts;
  return { name, lora_name, version, status, ...sessionCost(facts, price, gpus) };
}
