import type { LauncherId, Wants } from '../../launchers/launcher.js';
import type { Settings } from '../../settings.js';
import type { UiState } from './uiState.js';

/** The launcher of a session's next attempt: the setting's, or the session's own choice. */
export function launcherFor({ launcher }: Pick<Settings, 'launcher'>, state: UiState | null): LauncherId {
  return launcher === 'auto' ? (state?.launcher ?? 'local') : launcher;
}

/** The GPUs of one node as a job counts them, from 0. */
export function gpusOnNode(state: UiState): number[] {
  return Array.from({ length: wantsOf(state).gpus }, (_, index) => index);
}

/** What a session asks its cluster for. Empty fields leave it to the cluster. */
export function wantsOf(state: UiState): Wants {
  const word = (value: string | undefined) => value?.trim() || null;
  return {
    gpus: state.cluster_gpus ?? 0,
    gpuType: word(state.cluster_gpu_type),
    nodes: Math.max(1, state.cluster_nodes ?? 1),
    cpus: state.cluster_cpus || null,
    memoryMiB: state.cluster_memory_mib || null,
    minutes: state.cluster_minutes || null,
    queue: word(state.cluster_queue),
    account: word(state.cluster_account),
    qos: word(state.cluster_qos),
    constraint: word(state.cluster_constraint),
    further: (state.cluster_options ?? '').split(/\s+/).filter((each) => each !== ''),
  };
}
