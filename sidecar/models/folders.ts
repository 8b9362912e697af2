import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder to search for models, `depth` folders deep. */
export type ModelFolder = { path: string; depth: number };

/** Where people keep models: `models` is TRACKSIDE_MODELS, `sdScripts` the checkout or ''. */
export type ModelPlaces = { models: string; sdScripts: string };

const FLUXGYM = ['unet', 'clip', 'vae'];
const COMFYUI = ['unet', 'diffusion_models', 'checkpoints', 'clip', 'text_encoders', 'vae'];

/** Lists our folder first, then the usual ones of FluxGym, ComfyUI and the hub's cache, which may not exist. */
export function modelFolders({ models, sdScripts }: ModelPlaces, environment = process.env): ModelFolder[] {
  const around = sdScripts ? [sdScripts, dirname(sdScripts)] : [];
  const homes = [...around, '/workspace', environment.HOME || homedir()];
  const inside = (folder: string, names: string[]) => names.map((name) => ({ path: join(folder, name), depth: 3 }));
  const all = [
    { path: models, depth: 4 },
    ...around.map((folder) => ({ path: join(folder, 'models'), depth: 3 })),
    { path: '/workspace/models', depth: 3 },
    ...homes.flatMap((home) => [
      ...inside(join(home, 'fluxgym', 'models'), FLUXGYM),
      ...inside(join(home, 'ComfyUI', 'models'), COMFYUI),
    ]),
    { path: hubCache(environment), depth: 5 },
  ];
  const first = new Map(all.map((folder) => [folder.path, folder] as const).reverse());
  return [...first.values()].reverse();
}

/** The cache of huggingface_hub: `models--owner--name/snapshots/<commit>/…`. */
export function hubCache(environment = process.env): string {
  if (environment.HF_HUB_CACHE) return environment.HF_HUB_CACHE;
  const cache = environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache');
  return join(environment.HF_HOME || join(cache, 'huggingface'), 'hub');
}
