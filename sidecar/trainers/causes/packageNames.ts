/** Names under which pip has what is imported by another name. */
export const PACKAGES: Record<string, string> = {
  cv2: 'opencv-python-headless',
  PIL: 'pillow',
  yaml: 'pyyaml',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  google: 'protobuf',
  lion_pytorch: 'lion-pytorch',
  lycoris: 'lycoris-lora',
  flash_attn: 'flash-attn',
  open_clip: 'open-clip-torch',
  huggingface_hub: 'huggingface-hub',
  pytorch_optimizer: 'pytorch-optimizer',
  came_pytorch: 'came-pytorch',
  pkg_resources: 'setuptools',
  distutils: 'setuptools',
  attr: 'attrs',
  dateutil: 'python-dateutil',
  dadaptation: 'dadaptation',
  prodigyplus: 'prodigy-plus-schedule-free',
  // "No Prodigy", as sd-scripts says it; prodigy is another package.
  prodigy: 'prodigyopt',
};

/** Where the newest version does not work with sd-scripts. */
export const VERSIONS: Record<string, string> = { 'lycoris-lora': 'lycoris-lora==3.2.0.post2' };
