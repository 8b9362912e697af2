import { z } from 'zod';

/**
 * What a session saved, and what a resume would begin from, as the API answers it and the pages show it. Times are ISO 8601 in
 * UTC. Steps and epochs are absolute over all attempts of the session, null where unknown.
 */
const saved = z.object({
  name: z.string(),
  /** Relative to the output folder; differs from `name` for what was moved to `earlier/`. */
  path: z.string(),
  kind: z.enum(['epoch', 'step', 'final']),
  /** Of the saved weights, absolute. */
  epoch: z.number().nullable(),
  step: z.number().nullable(),
  bytes: z.number(),
  saved_at: z.string(),
});

/** A state folder. */
export const stateFacts = saved
  .extend({
    complete: z.boolean(),
    /** Why it is not complete, in words. */
    reason: z.string().nullable(),
    /** Why it can't be resumed from now, complete or not, in words. Null when only the times of its files are in doubt. */
    refused: z.string().nullable(),
    /** Steps of a begun epoch in it, which a resume would train again. */
    repeated_steps: z.number(),
    /** A resume goes on with its next step, bit for bit. */
    exact: z.boolean(),
  })
  .meta({ id: 'State' });
export type StateFacts = z.infer<typeof stateFacts>;

export const checkpointFacts = saved
  .extend({
    /** `other`: weights that don't say when they were saved. */
    kind: z.enum([...saved.shape.kind.options, 'other']),
    /** Its header's metadata as text, by sd-scripts' names (`ss_*`, sd-scripts.md section 8). */
    metadata: z.record(z.string(), z.string()),
    /** Why it is not offered, in words; null when it is: it leads out of the outputs, or is cut, empty or no weights. */
    problem: z.string().nullable(),
  })
  .meta({ id: 'Checkpoint' });
export type CheckpointFacts = z.infer<typeof checkpointFacts>;

/** Folders with the files of earlier attempts, relative to the output folder, newest first. */
export type KeptEarlier = { states: string[]; samples: string[] };

export const sampleFacts = z
  .object({
    name: z.string(),
    /** Set for a sample by epochs. */
    epoch: z.number().nullable(),
    /** Set for a sample by steps; absolute. */
    step: z.number().nullable(),
    /** Index of the prompt, from 0. */
    prompt: z.number(),
    seed: z.string().nullable(),
    /** Its weights were thrown away: a later attempt trained those steps again. */
    lost: z.boolean(),
    saved_at: z.string(),
  })
  .meta({ id: 'Sample' });
export type SampleFacts = z.infer<typeof sampleFacts>;

/** A state folder that was not chosen: its path relative to the output folder, and the reason in words. */
const passedOver = z.object({ state: z.string(), path: z.string(), reason: z.string() });
export type PassedOver = z.infer<typeof passedOver>;

export const resumeFacts = z
  .object({
    /** Folder name, and its path relative to the output folder. */
    state: z.string(),
    path: z.string(),
    /** Epochs and steps inside the state, which are kept. */
    epoch: z.number(),
    step: z.number(),
    /** The first epoch that will be trained. */
    first_epoch: z.number(),
    /** Steps that were trained since the state and are lost; null when unknown. */
    lost_steps: z.number().nullable(),
    /** Steps inside the state that are trained again: it, or one before it, was saved in the middle of an epoch. */
    repeated_steps: z.number(),
    /** It goes on with the next step, bit for bit: in the middle of an epoch, too. */
    exact: z.boolean(),
    /** Why it can't, though a state has all it needs: what differs from when it was saved, in words. */
    differs: z.array(z.string()),
    /** Newer states that are not used, with the reason. */
    passed_over: z.array(passedOver),
    /** Why it may not be whole, in words, when no state surely is: a person has to decide. Null when it is. */
    doubt: z.string().nullable(),
  })
  .meta({ id: 'Resume' });
export type ResumeFacts = z.infer<typeof resumeFacts>;
