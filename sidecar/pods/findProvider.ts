import { lambda } from './lambda.js';
import { ownCommand } from './ownCommand.js';
import { podVariable } from './podEnvironment.js';
import type { PodSettings } from './podSettings.js';
import type { Provider } from './provider.js';
import { runpod } from './runpod.js';
import { vast } from './vast.js';

/**
 * The provider of this pod: the chosen one, else the one whose variables are here. Null if there is none, or it lacks what it
 * needs; `missing` says what, in words.
 *
 * @param api the address in place of the provider's own; '' for that
 */
export function findProvider(
  settings: PodSettings,
  environment: NodeJS.ProcessEnv,
  api: string,
): { provider: Provider | null; missing: string | null } {
  const found = (name: string) => podVariable(name, environment);
  const [runpodId, vastId] = [found('RUNPOD_POD_ID'), found('CONTAINER_ID')];
  const chosen = settings.provider || (runpodId ? 'runpod' : vastId && found('CONTAINER_API_KEY') ? 'vast' : '');
  const given = (provider: Provider) => ({ provider, missing: null });
  const lacks = (missing: string) => ({ provider: null, missing });
  if (chosen === 'runpod') {
    const key = found('RUNPOD_API_KEY');
    return runpodId && key
      ? given(runpod({ id: runpodId, key, api }))
      : lacks('RUNPOD_POD_ID or RUNPOD_API_KEY is not set here.');
  }
  if (chosen === 'vast') {
    const key = found('CONTAINER_API_KEY');
    return vastId && key
      ? given(vast({ id: vastId, key, api }))
      : lacks('CONTAINER_ID or CONTAINER_API_KEY is not set here.');
  }
  if (chosen === 'lambda') {
    const { instance: id, key } = settings;
    return id && key ? given(lambda({ id, key, api })) : lacks('Enter the ID of the instance and an API key.');
  }
  if (chosen === 'command') return settings.command ? given(ownCommand(settings.command)) : lacks('Enter a command.');
  return lacks('This pod is neither RunPod’s nor Vast’s. Choose Lambda, or enter a command of your own.');
}
