/** What the trainer is doing, as far as its console tells. */
export type Phase =
  | 'starting'
  | 'loading'
  | 'caching latents'
  | 'hashing base model'
  | 'training'
  | 'sampling'
  | 'saving'
  | 'finishing'
  | 'ended';
