import type { SecretFacts, SecretName } from '../security/secrets.js';
import type { PageModel } from './frame.js';

export type SecretsModel = PageModel & { secrets: SecretFacts[] };

export type SecretsView = ReturnType<typeof secretsView>;

/** Each secret with what it is for. What it is, nobody is told. */
export function secretsView({ root, secrets }: SecretsModel) {
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

/** `source`: where one is had. */
const SERVICES: Record<SecretName, { service: string; what: string; source: string }> = {
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
