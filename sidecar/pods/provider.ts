/** What is known of the pod at its provider. `price`: US dollars an hour, where it says so. */
export type PodState = { is: 'running' | 'stopped' | 'unknown'; price: number | null };

/** Who rents the pod out, and can stop it. */
export type Provider = {
  id: 'runpod' | 'vast' | 'lambda' | 'command';
  name: string;
  /** What a stop leaves and takes away, in words. */
  leaves: string;
  /** Asks for the stop. Its answer is not believed: `look` tells. Throws PodProblem if nobody took the request. */
  stop(): Promise<void>;
  /** Reads back. Never rejects. */
  look(): Promise<PodState>;
};

/** Why the pod can't be stopped, as a sentence without secrets. */
export class PodProblem extends Error {}

export const UNKNOWN: PodState = { is: 'unknown', price: null };
