import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StateOnDisk } from '../../../sidecar/trainers/dialect.js';
import { expectedSteps } from '../../../sidecar/trainers/expectedSteps.js';
import { resumeRecipe } from '../../../sidecar/trainers/sdOutput/resumeRecipe.js';

const writer = (stepOffset: number | null, firstEpoch: number | null, stepsPerEpoch: number | null = null) => ({
  stepOffset,
  firstEpoch,
  stepsPerEpoch,
});

type Saved = Pick<StateOnDisk, 'kind' | 'currentEpoch' | 'currentStep'>;

test.each<[string, Saved, number, number | null, object]>([
  [
    'an epoch state of a first run',
    { kind: 'epoch', currentEpoch: 2, currentStep: 16 },
    8,
    0,
    { epoch: 2, step: 16, firstEpoch: 3, stepOffset: 16, repeatedSteps: 0 },
  ],
  [
    'an epoch state of a resumed run',
    { kind: 'epoch', currentEpoch: 3, currentStep: 8 },
    8,
    16,
    { epoch: 3, step: 24, firstEpoch: 4, stepOffset: 24, repeatedSteps: 0 },
  ],
  [
    'a state in the middle of an epoch',
    { kind: 'step', currentEpoch: 2, currentStep: 10 },
    8,
    0,
    { epoch: 1, step: 10, firstEpoch: 2, stepOffset: 8, repeatedSteps: 2 },
  ],
  [
    'the same of a resumed run',
    { kind: 'step', currentEpoch: 3, currentStep: 10 },
    8,
    8,
    { epoch: 2, step: 18, firstEpoch: 3, stepOffset: 16, repeatedSteps: 2 },
  ],
  [
    'the same when its attempt is unknown',
    { kind: 'step', currentEpoch: 3, currentStep: 10 },
    8,
    null,
    { step: 18, firstEpoch: 3, repeatedSteps: 2 },
  ],
  [
    'a step state at the end of an epoch',
    { kind: 'step', currentEpoch: 2, currentStep: 16 },
    8,
    0,
    { epoch: 2, step: 16, firstEpoch: 3, repeatedSteps: 0 },
  ],
  [
    'the final state',
    { kind: 'final', currentEpoch: 3, currentStep: 8 },
    8,
    16,
    { epoch: 3, step: 24, firstEpoch: 4, stepOffset: 24 },
  ],
])('%s', (_, state, stepsPerEpoch, stepOffset, expected) => {
  const begun = stepOffset === null ? null : stepOffset / stepsPerEpoch + 1;
  expect(resumeRecipe(state, stepsPerEpoch, writer(stepOffset, begun))).toMatchObject(expected);
});

test('a state of an epoch that was longer then: its own count tells whether it is whole', () => {
  const state: Saved = { kind: 'step', currentEpoch: 2, currentStep: 12 };
  expect(resumeRecipe(state, 6, writer(0, 1, 8))).toMatchObject({ firstEpoch: 2, repeatedSteps: 4 });
  expect(resumeRecipe({ ...state, currentStep: 16 }, 6, writer(0, 1, 8))).toMatchObject({
    firstEpoch: 3,
    repeatedSteps: 0,
  });
});

test.each([
  // pictures × repeats, batch, accumulation, GPUs → steps an epoch, and the first step of epoch 3
  [10, 1, 1, 1, 10, 20],
  [10, 1, 3, 1, 4, 8],
  [10, 1, 2, 2, 3, 6],
  [10, 4, 1, 1, 3, 6],
  [25, 2, 4, 3, 2, 4],
])(
  '%i pictures, %i a batch, %i batches together, %i GPUs: %i steps an epoch',
  (images, batchSize, accumulation, gpus, steps, third) => {
    const perEpoch = expectedSteps({ images, repeats: 1, epochs: 1, batchSize, accumulation, gpus });
    expect(perEpoch).toBe(steps);
    expect(resumeRecipe({ kind: 'epoch', currentEpoch: 2, currentStep: 99 }, perEpoch, writer(0, 1))?.stepOffset).toBe(
      third,
    );
  },
);

test('what was trained keeps its number when the dataset has grown or shrunk, once or twice', () => {
  // Two epochs of 10 steps, then one of 15, then of 5.
  const second = resumeRecipe({ kind: 'epoch', currentEpoch: 2, currentStep: 20 }, 15, writer(0, 1, 10));
  expect(second).toMatchObject({ firstEpoch: 3, step: 20, stepOffset: 20, repeatedSteps: 0 });
  const third = resumeRecipe({ kind: 'epoch', currentEpoch: 3, currentStep: 15 }, 5, writer(20, 3, 15));
  expect(third).toMatchObject({ firstEpoch: 4, step: 35, stepOffset: 35 });
  const inside = resumeRecipe({ kind: 'step', currentEpoch: 4, currentStep: 18 }, 5, writer(20, 3, 15));
  expect(inside).toMatchObject({ firstEpoch: 4, step: 38, stepOffset: 35, repeatedSteps: 3 });
});

test('the steps that the weights have really seen tell of an epoch that was begun twice', () => {
  // Resumed from step 12 of 10 a epoch: epoch 2 again, and its state has seen 22 steps.
  const state = { kind: 'epoch', currentEpoch: 2, currentStep: 10, seenSteps: 22 } as const;
  expect(resumeRecipe(state, 10, writer(10, 2))).toMatchObject({ firstEpoch: 3, step: 20, repeatedSteps: 2 });
  // A gradient scaler leaves out a few steps: nothing was trained twice.
  expect(resumeRecipe({ ...state, seenSteps: 17 }, 10, writer(10, 2))).toMatchObject({ repeatedSteps: 0 });
});

test('a state that does not tell its epoch cannot be resumed', () => {
  expect(resumeRecipe({ kind: 'epoch', currentEpoch: null, currentStep: 8 }, 8, writer(0, 1))).toBeNull();
});

type SavedByAttempt = { saved: Saved; stepOffset: number; firstEpoch: number; trained: number[] };

/**
 * sd-scripts as it is: the step restarts at 0 with each start, the epoch number is absolute, an epoch begins from its
 * beginning. `trained` counts how often the weights saw each epoch to its end.
 */
function train(options: {
  from: SavedByAttempt | null;
  firstEpoch: number;
  stepOffset: number;
  epochs: number;
  stepsPerEpoch: number;
  saveEverySteps: number;
  saveEveryEpochs: number;
  /** Steps until it is killed. */
  dieAfter: number;
}): { states: SavedByAttempt[]; weights: number[] | null } {
  const { from, firstEpoch, stepOffset, epochs, stepsPerEpoch, saveEverySteps, saveEveryEpochs } = options;
  const states: SavedByAttempt[] = [];
  const trained = [...(from?.trained ?? [])];
  let globalStep = 0;
  const save = (kind: Saved['kind'], currentEpoch: number) =>
    states.push({
      saved: { kind, currentEpoch, currentStep: globalStep },
      stepOffset,
      firstEpoch,
      trained: [...trained],
    });
  for (let epoch = firstEpoch; epoch <= epochs; epoch += 1) {
    for (let step = 1; step <= stepsPerEpoch; step += 1) {
      if (globalStep === options.dieAfter) return { states, weights: null };
      globalStep += 1;
      if (step === stepsPerEpoch) trained.push(epoch);
      if (globalStep % saveEverySteps === 0) save('step', epoch);
    }
    if (epoch % saveEveryEpochs === 0 && epoch < epochs) save('epoch', epoch);
  }
  save('final', epochs);
  return { states, weights: trained };
}

test('any sequence of interruptions and resumes ends after exactly the epochs asked for', () => {
  const counts = { stepsPerEpoch: [1, 9], epochs: [1, 8], saveEverySteps: [1, 12], saveEveryEpochs: [1, 3] } as const;
  const numbers = fc.record(
    Object.fromEntries(Object.entries(counts).map(([name, [min, max]]) => [name, fc.integer({ min, max })])) as Record<
      keyof typeof counts,
      fc.Arbitrary<number>
    >,
  );
  const lives = fc.array(fc.record({ dieAfter: fc.nat(40), choice: fc.nat(100) }), { maxLength: 12 });
  fc.assert(
    fc.property(numbers, lives, (asked, deaths) => {
      let states: SavedByAttempt[] = [];
      for (const { dieAfter, choice } of [...deaths, { dieAfter: Number.POSITIVE_INFINITY, choice: 0 }]) {
        // The newest is the rule; a person may pick any.
        const from = states[choice % 3 === 0 ? choice % states.length || 0 : states.length - 1] ?? null;
        const recipe = from
          ? resumeRecipe(from.saved, asked.stepsPerEpoch, writer(from.stepOffset, from.firstEpoch))
          : null;
        const firstEpoch = recipe?.firstEpoch ?? 1;
        if (firstEpoch > asked.epochs) {
          expect(from?.trained).toEqual(Array.from({ length: asked.epochs }, (_, index) => index + 1));
          return;
        }
        const ended = train({ ...asked, from, firstEpoch, stepOffset: recipe?.stepOffset ?? 0, dieAfter });
        if (recipe && from) {
          expect(recipe.stepOffset).toBe((firstEpoch - 1) * asked.stepsPerEpoch);
          expect(recipe.step - recipe.repeatedSteps).toBe(recipe.stepOffset);
          expect(from.trained.length).toBe(recipe.epoch);
        }
        states = [...states, ...ended.states];
        if (ended.weights) {
          expect(ended.weights).toEqual(Array.from({ length: asked.epochs }, (_, index) => index + 1));
          return;
        }
      }
      throw new Error('it never ended');
    }),
    { numRuns: 2000 },
  );
});

test('sd-scripts begins at the epoch that is meant, whatever the batches, GPUs and batches together', () => {
  const upTo = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(upTo(200), upTo(8), upTo(16), upTo(30), upTo(30), (batches, gpus, accumulation, epochs, done) => {
      const perEpoch = expectedSteps({ images: batches, repeats: 1, epochs: 1, batchSize: 1, accumulation, gpus });
      // train_network.py:800, :978 and :1232-1273; the loader is prepared: each process has its share.
      const loader = Math.ceil(batches / gpus);
      const updates = Math.ceil(loader / accumulation);
      expect(perEpoch).toBe(updates);
      const maxTrainSteps = epochs * Math.ceil(batches / gpus / accumulation);
      expect(Math.ceil(maxTrainSteps / updates)).toBe(epochs);
      const recipe = resumeRecipe({ kind: 'epoch', currentEpoch: done, currentStep: 1 }, perEpoch, writer(0, 1));
      const first = recipe?.firstEpoch ?? 0;
      const initialStep = gpus > 1 ? (recipe?.stepOffset ?? 0) : (first - 1) * Math.ceil(loader / accumulation);
      expect(Math.floor(initialStep / updates)).toBe(done);
      if (done < epochs) expect(maxTrainSteps).toBeGreaterThan(initialStep);
    }),
    { numRuns: 2000 },
  );
});
