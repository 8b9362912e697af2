import { listedSamplesOf, stepOfSample } from '../../products/products.js';
import { promptsOf, promptWords } from '../../products/prompts.js';
import type { SampleFacts } from '../../savedFacts.js';
import type { Session } from '../../status/session.js';
import type { ComparedSamples } from './facts.js';

/** Of more steps, every nth can be chosen. */
const MOST_STEPS = 60;

type Placed = SampleFacts & { at: number | null };

/**
 * Samples of the same prompt and seed beside each other, those that most sessions have first: of each session the newest
 * one, or the newest up to a step. Samples of steps that were trained again are left out.
 */
export async function compareSamples(
  sessions: readonly { session: Session; samples: FoundSamples }[],
  step: number | null,
): Promise<{ rows: ComparedSamples[]; steps: number[] }> {
  const all = sessions.map(({ samples }) => samples);
  const keys = new Map<string, { prompt: string; seed: string | null }>();
  for (const found of all)
    for (const [key, { prompt, seed }] of found) if (!keys.has(key)) keys.set(key, { prompt, seed });
  const rows = await Promise.all(
    [...keys].map(async ([key, about]) => ({
      ...about,
      pictures: await Promise.all(
        sessions.map(({ session, samples }) => newestWhole(session, samples.get(key)?.samples ?? [], step)),
      ),
    })),
  );
  const filled = ({ pictures }: ComparedSamples) => pictures.filter((each) => each !== null).length;
  const steps = new Set(
    all.flatMap((found) => [...found.values()].flatMap(({ samples }) => samples.map(({ at }) => at))),
  );
  return {
    rows: rows.filter((row) => filled(row) > 0).sort((a, b) => filled(b) - filled(a)),
    steps: thinned([...steps].filter((each) => each !== null).sort((a, b) => a - b)),
  };
}

/** Samples by prompt and seed. */
export type FoundSamples = Map<string, { prompt: string; seed: string | null; samples: Placed[] }>;

/** The samples of a session by prompt and seed, in the order of the prompts; some may be cut. */
export async function readSamples(session: Session): Promise<FoundSamples> {
  const [samples, prompts] = [await listedSamplesOf(session), await promptsOf(session)];
  const perEpoch = session.progress?.steps_per_epoch ?? null;
  const found: FoundSamples = new Map();
  for (const sample of samples.toSorted((a, b) => a.prompt - b.prompt)) {
    if (sample.lost) continue;
    const prompt = promptWords(prompts[sample.prompt]) || `prompt ${sample.prompt + 1}`;
    const key = `${prompt}\n${sample.seed ?? ''}`;
    const known = found.get(key) ?? { prompt, seed: sample.seed, samples: [] };
    known.samples.push({ ...sample, at: stepOfSample(sample, perEpoch) });
    found.set(key, known);
  }
  return found;
}

/** Of cut ones the one before. */
async function newestWhole(
  { folder, dialect }: Session,
  samples: readonly Placed[],
  step: number | null,
): Promise<ComparedSamples['pictures'][number]> {
  const fits = step === null ? samples : samples.filter(({ at }) => at !== null && at <= step);
  for (const { name, at, epoch } of fits.toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0)))
    if (await dialect.samples.isWhole(folder, name)) return { name, step: at, epoch };
  return null;
}

/** Evenly; the last one stays. */
function thinned(steps: readonly number[]): number[] {
  const every = Math.ceil(steps.length / MOST_STEPS) || 1;
  return steps.filter((_, at) => (steps.length - 1 - at) % every === 0);
}
