import type { SecretFacts, SecretName } from '../security/secrets.js';
import type { PageModel } from './frame.js';

export type SecretsModel = PageModel & { secrets: SecretFacts[] };

export type SecretView = {
  name: SecretName;
  service: string;
  what: string;
  /** Where one is had. */
  source: string;
  fromEnvironment: boolean;
  isSet: boolean;
  field: string;
  button: string;
  setAt: string | null;
  address: string;
};

export type SecretsView = { secrets: SecretView[] };

/** Each secret with what it is for. What it is, nobody is told. */
export function secretsView({ root, secrets }: SecretsModel): SecretsView {
  return {
    secrets: secrets.map(({ name, from, set_at }) => ({
      name,
      ...SERVICES[name],
      fromEnvironment: from === 'environment',
      isSet: from !== null,
      field: from ? 'New token' : 'Token',
      button: from ? 'Replace' : 'Save',
      setAt: set_at,
      address: `${root}secrets/${name}`,
    })),
  };
}

const SERVICES: Record<SecretName, Pick<SecretView, 'service' | 'what' | 'source'>> = {
  HF_TOKEN: {
    service: 'Hugging Face',
    what: 'Downloads models that have a licence, and publishes LoRAs.',
    source: 'huggingface.co/settings/tokens',
  },
  WANDB_API_KEY: {
    service: 'Weights & Biases',
    what: 'Lets a trainer log to your account.',
    source: 'wandb.ai/authorize',
  },
};
