/** The trainer's activity, from its console. */
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
