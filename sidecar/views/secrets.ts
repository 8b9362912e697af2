import type { SecretFacts, SecretName } from '../security/secrets.js';
import type { PageModel } from './frame.js';

export type SecretsModel = PageModel & { secrets: SecretFacts[] };

export type SecretView = {
  name: SecretName;
  service: string;
  what: string;
  /** Where one is had. */
  source: string;
  from: SecretFacts['from'];
  setAt: string | null;
  address: string;
};

/** Each secret with what it is for. What it is, nobody is told. */
export function secretsView({ root, secrets }: SecretsModel): { secrets: SecretView[] } {
  return {
    secrets: secrets.map(({ name, from, set_at }) => ({
      name,
      ...SERVICES[name],
      from,
      setAt: set_at,
      address: `${root}secrets/${name}`,
    })),
  };
}

const SERVICES: Record<SecretName, Pick<SecretView, 'service' | 'what' | 'source'>> = {
  HF_TOKEN: {
    service: 'Hugging Face',
    what: 'Downloads models whose terms have to be accepted first, and publishes LoRAs.',
    source: 'huggingface.co/settings/tokens',
  },
  WANDB_API_KEY: {
    service: 'Weights & Biases',
    what: 'Lets a trainer that logs there find your account.',
    source: 'wandb.ai/authorize',
  },
};
