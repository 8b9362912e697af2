/** The licence that a LoRA inherits from its base model, as the hub's model cards name it. */
export type BaseLicence = {
  /** Repository of the base model, for `base_model` of a card. */
  repo: string;
  /** The hub's identifier: "apache-2.0", "other". */
  id: string;
  /** Only with `other`. */
  name?: string;
  link?: string;
  /** What it means for users of the LoRA, in a sentence. */
  means: string;
};

const page = (repo: string, file: string) => `https://huggingface.co/${repo}/blob/main/${file}`;

const FLUX_DEV: BaseLicence = {
  repo: 'black-forest-labs/FLUX.1-dev',
  id: 'other',
  name: 'flux-1-dev-non-commercial-license',
  link: page('black-forest-labs/FLUX.1-dev', 'LICENSE.md'),
  means: 'Not for commercial use, under the licence of FLUX.1 [dev].',
};
const free = (repo: string): BaseLicence => ({ repo, id: 'apache-2.0', means: 'Apache 2.0, like its base model.' });
const openRail = (repo: string, id = 'openrail++'): BaseLicence => ({
  repo,
  id,
  means: 'Under the OpenRAIL licence of its base model, which restricts some uses.',
});
const stability = (repo: string): BaseLicence => ({
  repo,
  id: 'other',
  name: 'stabilityai-ai-community',
  link: page(repo, 'LICENSE.md'),
  means: 'Under the Stability AI Community License: free up to a yearly revenue of one million dollars.',
});

const ANIMA: BaseLicence = {
  repo: 'circlestone-labs/Anima',
  id: 'other',
  name: 'circlestone-labs-non-commercial-license',
  link: 'https://huggingface.co/circlestone-labs/Anima',
  means: 'Not for commercial use, under the licence of Anima.',
};

/** By ui_state.json's `base_model`. */
const LICENCES: Record<string, BaseLicence> = {
  'flux-dev': FLUX_DEV,
  'flux-dev2pro': FLUX_DEV,
  // As FluxGym names it.
  'bdsqlsz/flux1-dev2pro-single': FLUX_DEV,
  'flux-schnell': free('black-forest-labs/FLUX.1-schnell'),
  'chroma1-base': free('lodestones/Chroma1-Base'),
  'chroma1-hd': free('lodestones/Chroma1-HD'),
  'sdxl-base': openRail('stabilityai/stable-diffusion-xl-base-1.0'),
  sd15: openRail('stable-diffusion-v1-5/stable-diffusion-v1-5', 'creativeml-openrail-m'),
  sd21: openRail('stabilityai/stable-diffusion-2-1'),
  'sd21-base': openRail('stabilityai/stable-diffusion-2-1-base'),
  'sd3-medium': stability('stabilityai/stable-diffusion-3-medium'),
  'sd3.5-medium': stability('stabilityai/stable-diffusion-3.5-medium'),
  'sd3.5-large': stability('stabilityai/stable-diffusion-3.5-large'),
  'lumina-2': free('Alpha-VLLM/Lumina-Image-2.0'),
  'hunyuan-image-2.1': {
    repo: 'tencent/HunyuanImage-2.1',
    id: 'other',
    name: 'tencent-hunyuan-community',
    link: page('tencent/HunyuanImage-2.1', 'LICENSE'),
    means: 'Under the Tencent Hunyuan Community License, which does not cover all countries.',
  },
  anima: ANIMA,
  'anima-preview': ANIMA,
};

/** Null for an unknown base model. */
export function baseLicence(baseModel: string): BaseLicence | null {
  return Object.hasOwn(LICENCES, baseModel) ? (LICENCES[baseModel] ?? null) : null;
}
