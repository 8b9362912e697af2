import type { Trackside } from '../trackside.js';

const MOST_SESSIONS = 12;

export type PodFacts = Awaited<ReturnType<typeof podFacts>>;

/** What the pod costs and has cost, in US dollars, and whether it stops by itself. Of a key it says whether there is one. */
export async function podFacts({ pod, outputs }: Trackside) {
  const { key, ...settings } = pod.store.now();
  const price = pod.price();
  const { provider, missing } = pod.provider();
  const trained = (await outputs.list()).filter(({ attempts }) => attempts.length > 0).slice(0, MOST_SESSIONS);
  return {
    price,
    ...pod.meter.facts(),
    settings: { ...settings, key: key !== '' },
    provider: provider && { id: provider.id, name: provider.name, leaves: provider.leaves },
    missing,
    stop: pod.stop.facts(),
    sessions: trained.flatMap((facts) => {
      const { name, lora_name, version, version_name, status } = facts;
      const cost = pod.cost(facts);
      return cost ? [{ name, lora_name, version, version_name, status, ...cost }] : [];
    }),
  };
}
