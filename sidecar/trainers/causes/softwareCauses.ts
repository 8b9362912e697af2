import { type Clue, type KnownCause, pythonOf } from './cause.js';
import { PACKAGES, VERSIONS } from './packageNames.js';

/** Modules that lie in a checkout of sd-scripts: none of them is a package that pip has. */
const OWN_MODULES =
  /^(?:library|networks|tools|finetune|XTI_hijack|train_util|train_network|sdxl_train_util|flux_train_network|sdxl_train_network|gen_img\w*|append_module|musubi_tuner|toolkit|extensions_built_in|jobs)(?:\.|$)/;

/** Parts of Python itself that are absent where it was built without a library of the system. */
const OF_PYTHON = /^_(?:ctypes|lzma|bz2|sqlite3|ssl|tkinter|curses|uuid)$/;

function packageMissing(clue: Clue, module: string): string {
  const top = module.split('.')[0] ?? module;
  if (OF_PYTHON.test(top)) {
    return `The Python of the trainer was built without ${top}. Use another Python (of the system, or of conda), then start again.`;
  }
  const name = PACKAGES[top] ?? top.replace(/_/g, '-');
  const wanted = VERSIONS[name] ?? name;
  const known =
    name === top ? `The Python package ${name} is missing.` : `The Python package ${name} (${top}) is missing.`;
  return `${known} Install it: ${pythonOf(clue.session)} -m pip install ${wanted}; then start again.`;
}

/** Whatever quotes these words is no import: only an import's own exception, what it made of another, or `python -m`. */
const MODULE_MISSING =
  /^(?:ModuleNotFoundError|ImportError): [^\n]{0,200}?No module named '?([\w.]+)|because of the following error[^\n]{0,80}:\n\s*No module named '([\w.]+)'|^\S{0,400}python[\d.]*: No module named '?([\w.]+)|^\S{0,400}python[\d.]*: Error while finding module specification for .{1,200}No module named '([\w.]+)'/;

const CHECKOUT =
  'is a part of the trainer itself, but missing from this checkout, which is too old, on another branch, or incomplete. Update it (git pull, then git status); then start again.';

/** What cannot be loaded: the package in whose folder it lies, or the library itself. */
function brokenPart(text: string, words: string): string {
  const inPackage = /site-packages\/([\w-]{1,80}?)(?:\.cpython[^\s/]{0,80}\.so|\/)/.exec(text)?.[1];
  const library = /([\w.+-]{1,80}\.so[\d.]*)/.exec(text)?.[1];
  return [inPackage ?? library, words.replace(/: ?$/, '')].filter(Boolean).join(', ');
}

/** What is installed, and how it fits together. */
export const SOFTWARE_CAUSES: readonly KnownCause[] = [
  {
    id: 'compiler_missing',
    pattern: /CUDA_HOME environment variable is not set/,
    words:
      'A package has to be compiled for the GPU, but the CUDA toolkit is missing (CUDA_HOME is not set). Use an image with the toolkit ("devel"), or do without that package; then start again.',
    repeats: true,
  },
  {
    id: 'compiler_missing',
    pattern: /Command '?\['\S{0,200}(?:gcc|g\+\+|cc|c\+\+|clang|nvcc|ninja)'/,
    needs: ({ evidence }) =>
      evidence.saidBefore.some((said) => /fatal error: .{1,80}No such file|cannot find -l/.test(said)),
    words:
      'A compiler did not find the headers or libraries that it needs. Install them (apt-get install -y build-essential python3-dev), or switch torch.compile off; then start again.',
    repeats: true,
  },
  {
    id: 'compiler_missing',
    pattern:
      /No working C\+\+ compiler|InvalidCxxCompiler|Failed to find C compiler|No such file or directory: '(?:gcc|cc|g\+\+|c\+\+|clang|nvcc|ninja|\S*ldconfig)'|Ninja is required|Python\.h: No such file|command '\S{0,80}(?:gcc|g\+\+|nvcc|cl\.exe)' failed|Compiler: cl is not found|cannot find -lcuda\b/,
    words:
      'torch.compile, or an optimizer, needs a compiler, which is missing. Install it (apt-get install -y build-essential python3-dev), or switch torch.compile off; then start again.',
    repeats: true,
  },
  {
    id: 'checkout_incomplete',
    pattern: /No module named '([\w.]+)'/,
    needs: (clue) => OWN_MODULES.test(/No module named '([\w.]+)'/.exec(clue.text)?.[1] ?? ''),
    words: `$1 ${CHECKOUT}`,
    repeats: true,
  },
  {
    id: 'checkout_incomplete',
    pattern: /cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'/,
    needs: (clue) => OWN_MODULES.test(/ from (?:partially initialized module )?'([\w.]+)'/.exec(clue.text)?.[1] ?? ''),
    words: `$1 of $2 ${CHECKOUT}`,
    repeats: true,
  },
  {
    id: 'bitsandbytes',
    pattern: /^ModuleNotFoundError: No module named 'triton\.ops'/,
    words: (clue) =>
      `The installed bitsandbytes is too old for this triton. Install its newest release (${pythonOf(clue.session)} -m pip install -U bitsandbytes), or choose AdamW; then start again.`,
    repeats: true,
  },
  {
    id: 'package_version',
    pattern:
      /^ModuleNotFoundError: No module named '((numpy|torch|torchvision|transformers|diffusers|huggingface_hub|safetensors|peft|PIL)\.[\w.]+)'/,
    words:
      'The installed $2 is too old or too new: it has no $1. Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); a state folder needs the versions that it was saved with. Then start again.',
    repeats: true,
  },
  {
    id: 'package_missing',
    pattern: MODULE_MISSING,
    said: true,
    words: (clue, found) => packageMissing(clue, found.slice(1).find(Boolean) ?? ''),
    repeats: true,
  },
  {
    id: 'package_missing',
    pattern:
      /^ImportError:\s[\s\S]{0,200}?requires the (\w+) library but it was not found|requires `?(\w[\w-]*)`? to be installed|^ImportError: No (\w+) \/|make sure you have (\w+) installed|'(\w+)' package is not available in your environment|(?:facebookresearch\/)(xformers) for more information on how to install|^ImportError: (\w+) is not installed/m,
    words: (clue, found) => packageMissing(clue, (found.slice(1).find(Boolean) ?? '').toLowerCase()),
    repeats: true,
  },
  {
    id: 'bitsandbytes',
    pattern:
      /CUDA Setup failed despite|name 'str2optimizer\w{1,40}' is not defined|bitsandbytes native library functionality|No \w{1,40}8bit\. The version of bitsandbytes|bitsandbytes.{0,80}(?:compiled without GPU support|not compiled|no longer supported)|Required library version not found: libbitsandbytes|libbitsandbytes\w{0,40}\.so|'NoneType' object has no attribute 'c(?:adam|adagrad|lion|momentum|rmsprop|ademamix|quantize|dequantize|igemm|get_|gemm|percentile)\w*'|compile the bitsandbytes library/s,
    words: (clue) =>
      `bitsandbytes, which 8-bit optimizers need, does not match the CUDA of this machine. Install its newest release (${pythonOf(clue.session)} -m pip install -U bitsandbytes), or choose AdamW; then start again.`,
    repeats: true,
  },
  {
    id: 'system_library',
    pattern: /(lib(?:GL|gthread|glib|SM|Xext|Xrender)[\w.-]{0,60})(?:: |\s).{0,20}cannot open shared object/,
    words: 'The system library $1 is missing. Install it (apt-get install -y libgl1 libglib2.0-0); then start again.',
    repeats: true,
  },
  {
    id: 'package_version',
    pattern:
      /operator (torchvision|torchaudio)::\w+ does not exist|partially initialized module '(torchvision|torchaudio)'/,
    words: (clue, found) =>
      `${found[1] ?? found[2]} does not belong to the torch that is installed. Install the two together, in versions that belong together (${pythonOf(clue.session)} -m pip install -U torch ${found[1] ?? found[2]}, from the index that the trainer's guide names); then start again.`,
    repeats: true,
  },
  {
    id: 'package_version',
    pattern:
      /([\w.-]{1,60})[<>=!~][^\n]{1,60} is required for a normal functioning of this module, but found ([^\s]{1,80}?)\.?(?:\n|$)/,
    words:
      'The installed version of the package $1 ($2) does not work with the other packages. Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'package_version',
    pattern: /^AssertionError: duplicated lora name: (\S{1,200})/,
    needs: ({ frames }) => frames.some((frame) => frame.includes('lycoris/')),
    words: (clue, found) =>
      `The installed lycoris-lora does not work with this model: it names a layer twice (${found[1]}). Install the version before (${pythonOf(clue.session)} -m pip install lycoris-lora==3.2.0.post2), then start again.`,
    repeats: true,
  },
  {
    id: 'package_version',
    pattern: /^AttributeError: `np\.\w+` was removed in the NumPy 2\.0 release/,
    words: (clue) =>
      `The installed numpy is too new for another package. Install one before 2.0 (${pythonOf(clue.session)} -m pip install "numpy<2"), then start again.`,
    repeats: true,
  },
  {
    id: 'package_missing',
    pattern:
      /^[\w.]*(?:PackageNotFoundError|DistributionNotFound): (?:No package metadata was found for |The ')([\w.-]{1,80})/,
    needs: ({ text }) => !/The 'library' distribution/.test(text),
    words: (clue, found) => packageMissing(clue, found[1] ?? ''),
    repeats: true,
  },
  {
    id: 'package_version',
    pattern: /require users to upgrade torch to at least v?([\d.]+)/,
    words:
      'The installed torch is too old for the installed transformers, which needs torch $1 to load this file. Use the model as .safetensors, or install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'package_version',
    pattern: /^TypeError: Accelerator\.__init__\(\) got an unexpected keyword argument '(\w+)'/,
    words:
      'accelerate is too old or too new for the trainer: it does not know $1. Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'package_version',
    pattern:
      /Error\(s\) in loading state_dict for CLIPTextModel:\s{1,4}(?:Missing|Unexpected) key\(s\) in state_dict: "text_model\.embeddings\.position_ids"\. ?$/m,
    words:
      'transformers is too new or too old for the trainer: text encoders are stored differently (position_ids). Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'package_broken',
    pattern:
      /(?:undefined symbol: |symbol lookup error: |cannot open shared object file|version `(?:GLIBCXX|GLIBC|CXXABI)\S*' not found|numpy\.dtype size changed|compiled against (?:ABI|API) version|compiled using NumPy 1\.x cannot be run|DLL load failed|_ARRAY_API not found|Numpy is not available|numpy\.core\.multiarray failed to import)/,
    words: (clue, found) =>
      `Two Python packages do not work together (${brokenPart(clue.text, found[0])}). Reinstall them in versions that belong together, torch first; then start again.`,
    repeats: true,
  },
  {
    id: 'package_version',
    pattern: /cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'/,
    words:
      'A Python package is too old or too new for the trainer: $2 has no $1. Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'package_version',
    pattern:
      /module '(?!torch\.optim')(numpy|torch|transformers|diffusers|accelerate|bitsandbytes|PIL\.Image|huggingface_hub|xformers|safetensors)(?:\.[\w.]+)?' has no attribute '(\w+)'/,
    words:
      'A Python package is too old or too new for the trainer: $1 has no $2. Install the versions that the trainer asks for (pip install -r requirements.txt in its checkout); then start again.',
    repeats: true,
  },
  {
    id: 'attention_missing',
    pattern:
      /No operator found for `memory_efficient_attention|xFormers can't load C\+\+\/CUDA extensions|xformers is not available|No xformers/,
    words:
      'xformers does not work with this PyTorch or this GPU. Choose sdpa as attention instead of xformers; then start again.',
    repeats: true,
  },
  {
    id: 'attention_missing',
    pattern: /FlashAttention2 has been toggled on, but/,
    words:
      'flash-attn, which the settings ask for, is not installed or does not work with this PyTorch. Choose sdpa as attention; then start again.',
    repeats: true,
  },
  {
    id: 'compile_failed',
    pattern: /TritonMissing|Cannot find a working triton installation/,
    words: (clue) =>
      `torch.compile needs triton, which is missing or too old. Install it (${pythonOf(clue.session)} -m pip install -U triton), or switch torch.compile off; then start again.`,
    repeats: true,
  },
  {
    id: 'compile_failed',
    vague: true,
    pattern:
      /Error building extension '|BackendCompilerFailed|InductorError|torch\._dynamo\.exc\.\w+|CompilationError|CalledProcessError: Command '?\['\S{0,200}(?:gcc|g\+\+|cc|c\+\+|clang|nvcc|ninja)'/,
    words:
      'Code for the GPU could not be compiled (torch.compile, or an extension of a package). Switch torch.compile off, or choose another optimizer; then start again.',
    repeats: true,
  },
  {
    id: 'code_broken',
    pattern: /^(?:SyntaxError|IndentationError|TabError): (.+)/,
    // Python names the file last, without a function; Pillow raises SyntaxError for pictures, too.
    needs: ({ frames }) => frames.some((frame) => /\.py:$/.test(frame)),
    words: ({ frames }, found) =>
      `The trainer's code cannot be read by this Python: ${found[1]} (${frames.findLast((frame) => /\.py:$/.test(frame))?.slice(0, -1)}). Its Python is too old, or this file was changed: git status in the checkout tells.`,
    repeats: true,
  },
  {
    id: 'script_missing',
    said: true,
    pattern: /can't open file '([^']{1,400})': \[Errno 2\]/,
    words: '$1 is missing: the checkout of the trainer was moved, or is on another branch.',
    repeats: true,
  },
];
