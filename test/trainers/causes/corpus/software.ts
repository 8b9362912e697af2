import {
  box,
  boxedLauncher,
  CACHING,
  CAUSED,
  DURING,
  IMPORTING,
  LOADING,
  launched,
  launcher,
  PREPARED,
  type Row,
  TOKENIZER,
  TRAINING,
  traceback,
} from '../logs.js';

const PYTHON = '/pod/venv/bin/python';
const argv = [
  PYTHON,
  '-m',
  'accelerate.commands.launch',
  '/pod/sd-scripts/train_network.py',
  '--optimizer_type=AdamW8bit',
  '--network_module=lycoris.kohya',
];
const importing = { before: '', frames: IMPORTING };
const missing = (name: string) => launched(`ModuleNotFoundError: No module named '${name}'`, importing);

/** Packages, the checkout, compilers. */
export const software: Row[] = [
  {
    name: 'package: bitsandbytes',
    log: launched("ModuleNotFoundError: No module named 'bitsandbytes'"),
    argv,
    code: 'package_missing',
    says: /bitsandbytes/,
    again: 'repeats',
  },
  {
    name: 'package, with the command',
    log: missing('toml'),
    argv,
    code: 'package_missing',
    says: /\/pod\/venv\/bin\/python -m pip install toml/,
  },
  { name: 'package: cv2 is opencv-python', log: missing('cv2'), code: 'package_missing', says: /opencv-python/ },
  { name: 'package: PIL is Pillow', log: missing('PIL'), code: 'package_missing', says: /pillow/i },
  { name: 'package: yaml is PyYAML', log: missing('yaml'), code: 'package_missing', says: /pyyaml/i },
  { name: 'package: sklearn', log: missing('sklearn'), code: 'package_missing', says: /scikit-learn/ },
  { name: 'package: submodule', log: missing('google.protobuf'), code: 'package_missing', says: /protobuf/ },
  {
    name: 'package: prodigyopt',
    log: launched('ImportError: No Prodigy / Prodigy がインストールされていないようです'),
    code: 'package_missing',
    says: /prodigy/i,
  },
  {
    name: 'package: bitsandbytes, in the words of sd-scripts',
    log: `${TRAINING}\n${traceback("ModuleNotFoundError: No module named 'bitsandbytes'")}${DURING}${traceback('ImportError: No bitsandbytes / bitsandbytesがインストールされていないようです')}${launcher()}`,
    code: 'package_missing',
    says: /bitsandbytes/,
  },
  {
    name: 'package: lion',
    log: launched('ImportError: No lion_pytorch / lion_pytorch がインストールされていないようです'),
    code: 'package_missing',
    says: /lion/,
  },
  {
    name: 'package: dadaptation',
    log: launched('ImportError: No dadaptation / dadaptation がインストールされていないようです'),
    code: 'package_missing',
    says: /dadaptation/,
  },
  {
    name: 'package: xformers',
    log: launched(
      'ModuleNotFoundError: Refer to https://github.com/facebookresearch/xformers for more information on how to install xformers',
    ),
    code: ['package_missing', 'attention_missing'],
    says: /xformers/,
  },
  {
    name: 'package: xformers, in the words of sd-scripts',
    log: launched('ImportError: No xformers / xformersがインストールされていないようです'),
    code: ['package_missing', 'attention_missing'],
    says: /xformers/,
  },
  {
    name: 'package: protobuf, empty first line',
    log: launched(
      'ImportError: \nT5Converter requires the protobuf library but it was not found in your environment. Check out the instructions on the\ninstallation page of its repo: https://github.com/protocolbuffers/protobuf/tree/master/python#installation',
      { frames: TOKENIZER, before: PREPARED },
    ),
    code: 'package_missing',
    says: /protobuf/,
  },
  {
    name: 'package: sentencepiece',
    log: launched(
      'ImportError: \nT5Tokenizer requires the SentencePiece library but it was not found in your environment. Check out the instructions on the\ninstallation page of its repo: https://github.com/google/sentencepiece#installation',
      { frames: TOKENIZER, before: PREPARED },
    ),
    code: 'package_missing',
    says: /sentencepiece/i,
  },
  {
    name: 'package: sentencepiece, ValueError',
    log: launched(
      "ValueError: Cannot instantiate this tokenizer from a slow version. If it's based on sentencepiece, make sure you have sentencepiece installed.",
      { frames: TOKENIZER, before: PREPARED },
    ),
    code: 'package_missing',
    says: /sentencepiece/,
  },
  {
    name: 'package: tensorboard',
    log: launched(
      'ImportError: TensorboardTracker requires tensorboard to be installed. Run `pip install tensorboard` or install PyTorch >= 1.2.0 to use this functionality',
    ),
    code: ['package_missing', null],
    says: /tensorboard/i,
  },
  {
    name: 'package: tensorboard, ModuleNotFound in a chain',
    log: `${TRAINING}\n${traceback("ModuleNotFoundError: No module named 'tensorboard'")}${DURING}${traceback("ModuleNotFoundError: No module named 'tensorboardX'")}${launcher()}`,
    code: 'package_missing',
    says: /tensorboard/,
  },
  {
    name: 'lycoris module missing',
    log: launched("ModuleNotFoundError: No module named 'lycoris'"),
    code: 'package_missing',
    says: /lycoris[-_]lora/,
  },
  {
    name: 'package, in a box',
    log: `${box("ModuleNotFoundError: No module named 'voluptuous'")}${boxedLauncher()}`,
    code: 'package_missing',
    says: /voluptuous/,
  },
  {
    name: 'package, launcher itself has none',
    log: traceback("ModuleNotFoundError: No module named 'accelerate.commands'", [
      [
        '/usr/lib/python3.10/runpy.py',
        187,
        '_run_module_as_main',
        'mod_name, mod_spec, code = _get_module_details(mod_name, _Error)',
      ],
    ]),
    code: ['package_missing', 'package_broken', 'package_version'],
    says: /accelerate/,
  },
  {
    name: 'python -m without the package',
    log: `${PYTHON}: Error while finding module specification for 'accelerate.commands.launch' (ModuleNotFoundError: No module named 'accelerate')\n`,
    code: 'package_missing',
    says: /accelerate/,
  },
  {
    name: 'python -m, short words',
    log: `${PYTHON}: No module named accelerate\n`,
    code: 'package_missing',
    says: /accelerate/,
  },

  { name: 'checkout: library', log: missing('library'), code: 'checkout_incomplete', not: /pip install library/ },
  { name: 'checkout: library.strategy_base', log: missing('library.strategy_base'), code: 'checkout_incomplete' },
  {
    name: 'checkout: networks.lora_flux',
    log: launched("ModuleNotFoundError: No module named 'networks.lora_flux'"),
    code: 'checkout_incomplete',
  },
  {
    name: 'checkout: name that is not there',
    log: launched(
      "ImportError: cannot import name 'strategy_flux' from 'library' (/pod/sd-scripts/library/__init__.py)",
      importing,
    ),
    code: 'checkout_incomplete',
  },
  {
    name: 'checkout: script',
    log: `${PYTHON}: can't open file '/pod/sd-scripts/lumina_train_network.py': [Errno 2] No such file or directory\n${launcher(2)}`,
    code: 'script_missing',
    says: /lumina_train_network\.py/,
  },
  {
    name: 'network module of the user',
    log: launched("ModuleNotFoundError: No module named 'networks.lroa'"),
    argv: [PYTHON, '--network_module=networks.lroa'],
    code: ['checkout_incomplete', 'network_module'],
    says: /networks\.lroa/,
  },

  {
    name: 'bitsandbytes: CUDA setup',
    log: launched(
      'RuntimeError: \n        CUDA Setup failed despite GPU being available. Please run the following command to get more information:\n\n        python -m bitsandbytes\n\n        Inspect the output of the command and see if you can locate CUDA libraries.',
    ),
    code: 'bitsandbytes',
  },
  {
    name: 'bitsandbytes: str2optimizer',
    log: launched("NameError: name 'str2optimizer8bit_blockwise' is not defined"),
    code: 'bitsandbytes',
  },
  {
    name: 'bitsandbytes: 32bit',
    log: launched("NameError: name 'str2optimizer32bit' is not defined"),
    code: 'bitsandbytes',
  },
  {
    name: 'bitsandbytes: cadam',
    log: launched(
      'AttributeError: /pod/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cpu.so: undefined symbol: cget_managed_ptr',
    ),
    code: 'bitsandbytes',
  },
  {
    name: 'bitsandbytes: native library',
    log: launched(
      "RuntimeError: Attempted to use bitsandbytes native library functionality but it's not available.\n\nThis typically happens when:\n1. bitsandbytes doesn't ship with a pre-compiled binary for your CUDA version",
    ),
    code: 'bitsandbytes',
  },
  {
    name: 'bitsandbytes: no optimizer of that name',
    log: launched("AttributeError: module 'bitsandbytes.optim' has no attribute 'PagedAdamW8bit'"),
    code: ['bitsandbytes', 'package_version'],
    says: /bitsandbytes/,
  },
  {
    name: 'bitsandbytes: AttributeError in the words of sd-scripts',
    log: `${TRAINING}\n${traceback("AttributeError: module 'bitsandbytes.optim' has no attribute 'PagedAdamW8bit'")}${DURING}${traceback('AttributeError: No PagedAdamW8bit. The version of bitsandbytes installed seems to be old. Please install newest. / PagedAdamW8bitが定義されていません。インストールされているbitsandbytesのバージョンが古いようです。最新版をインストールしてください')}${launcher()}`,
    code: ['bitsandbytes', 'package_version'],
    says: /bitsandbytes/,
  },
  {
    name: 'bitsandbytes: triton.ops',
    log: launched("ModuleNotFoundError: No module named 'triton.ops'"),
    code: ['bitsandbytes', 'package_version', 'package_broken'],
    says: /bitsandbytes|triton/,
    not: /pip install triton\.ops/,
  },

  {
    name: 'system library: libGL',
    log: launched('ImportError: libGL.so.1: cannot open shared object file: No such file or directory', importing),
    code: 'system_library',
    says: /libGL|libgl1|headless/,
  },
  {
    name: 'system library: libcudart',
    log: launched('ImportError: libcudart.so.12: cannot open shared object file: No such file or directory', importing),
    code: ['system_library', 'package_version', 'package_broken'],
    says: /libcudart/,
  },
  {
    name: 'system library: glibc',
    log: launched(
      "ImportError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /pod/venv/lib/python3.10/site-packages/x.so)",
      importing,
    ),
    code: ['system_library', 'package_broken', 'package_version'],
    says: /GLIBC_2\.34/,
  },
  {
    name: 'undefined symbol: flash_attn',
    log: launched(
      'ImportError: /pod/venv/lib/python3.10/site-packages/flash_attn_2_cuda.cpython-310-x86_64-linux-gnu.so: undefined symbol: _ZN3c104cuda9SetDeviceEi',
      importing,
    ),
    code: ['package_broken', 'package_version'],
    says: /flash_attn/,
  },
  {
    name: 'undefined symbol: torch and NCCL',
    log: launched(
      'ImportError: /pod/venv/lib/python3.10/site-packages/torch/lib/libtorch_cuda.so: undefined symbol: ncclCommRegister',
      importing,
    ),
    code: ['package_broken', 'package_version'],
    says: /torch/,
  },
  {
    name: 'torchvision of another torch',
    log: launched('RuntimeError: operator torchvision::nms does not exist', importing),
    code: ['package_version', 'package_broken'],
    says: /torchvision/,
  },
  {
    name: 'torchvision: partially initialized',
    log: launched(
      "AttributeError: partially initialized module 'torchvision' has no attribute 'extension' (most likely due to a circular import)",
      importing,
    ),
    code: ['package_version', 'package_broken'],
    says: /torchvision/,
  },
  {
    name: 'torchvision, behind transformers',
    log: `${traceback('RuntimeError: operator torchvision::nms does not exist', IMPORTING)}${CAUSED}${traceback('RuntimeError: Failed to import transformers.models.clip.modeling_clip because of the following error (look up to see its traceback):\noperator torchvision::nms does not exist', IMPORTING)}${launcher()}`,
    code: ['package_version', 'package_broken'],
    says: /torchvision/,
  },
  {
    name: 'numpy 2 ABI',
    log: launched(
      'ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject',
      importing,
    ),
    code: ['package_version', 'package_broken'],
    says: /numpy/i,
  },
  {
    name: 'numpy 2 under torch',
    log: launched('RuntimeError: Numpy is not available'),
    code: ['package_version', 'package_broken'],
    says: /numpy/i,
  },
  {
    name: 'hub without cached_download',
    log: launched(
      "ImportError: cannot import name 'cached_download' from 'huggingface_hub' (/pod/venv/lib/python3.10/site-packages/huggingface_hub/__init__.py)",
      importing,
    ),
    code: ['package_version'],
    says: /huggingface_hub/,
  },
  {
    name: 'hub of the wrong version',
    log: launched(
      "ImportError: huggingface-hub>=0.30.0,<1.0 is required for a normal functioning of this module, but found huggingface-hub==1.2.0.\nTry: `pip install transformers -U` or `pip install -e '.[dev]'` if you're working with git main",
      importing,
    ),
    code: 'package_version',
    says: /huggingface[-_]hub/,
  },
  {
    name: 'transformers without a name',
    log: `${traceback("ImportError: cannot import name 'CLIPFeatureExtractor' from 'transformers' (/pod/venv/lib/python3.10/site-packages/transformers/__init__.py)", IMPORTING)}${CAUSED}${traceback("RuntimeError: Failed to import diffusers.loaders because of the following error (look up to see its traceback):\ncannot import name 'CLIPFeatureExtractor' from 'transformers'", IMPORTING)}${launcher()}`,
    code: 'package_version',
    says: /transformers/,
  },
  {
    name: 'diffusers and a missing torch.xpu',
    log: launched("AttributeError: module 'torch' has no attribute 'xpu'", importing),
    code: ['package_version', 'package_broken'],
    says: /torch/,
  },
  {
    name: 'torch without load_state of a CVE',
    log: launched(
      'ValueError: Due to a serious vulnerability issue in `torch.load`, even with `weights_only=True`, we now require users to upgrade torch to at least v2.6 in order to use the function. This version restriction does not apply when loading files with safetensors.\nSee the vulnerability report here https://nvd.nist.gov/vuln/detail/CVE-2025-32434',
      { frames: LOADING },
    ),
    code: ['package_version'],
    says: /torch/,
  },
  {
    name: 'accelerate too old',
    log: launched("TypeError: Accelerator.__init__() got an unexpected keyword argument 'dispatch_batches'"),
    code: ['package_version'],
    says: /accelerate/i,
  },
  {
    name: 'scheduler of another diffusers',
    log: launched("TypeError: get_scheduler() got an unexpected keyword argument 'scheduler_specific_kwargs'"),
    code: ['package_version', null],
    says: /diffusers|scheduler/,
  },
  {
    name: 'lycoris 4 on SD 1.x',
    log: launched("TypeError: create_network() got an unexpected keyword argument 'neuron_dropout'"),
    argv,
    code: ['package_version', null],
    says: /lycoris|neuron_dropout/,
  },
  {
    name: 'torch not there for accelerate',
    log: launched('ImportError: accelerate requires torch'),
    code: ['package_missing', null],
  },
  {
    name: 'Python too old for the checkout',
    log: launched("TypeError: unsupported operand type(s) for |: 'type' and 'NoneType'", {
      before: '',
      frames: [['/pod/sd-scripts/library/flux_utils.py', 30, '<module>', 'def load(path: str | None):']],
      python: 8,
    }),
    code: ['python_version', 'code_broken', null],
    says: /Python|unsupported operand/,
  },
  {
    name: 'a conflict in the checkout',
    log: `Traceback (most recent call last):\n  File "/pod/sd-scripts/train_network.py", line 12, in <module>\n    import library.train_util as train_util\n  File "/pod/sd-scripts/library/train_util.py", line 88\n    <<<<<<< HEAD\n    ^^\nSyntaxError: invalid syntax\n${launcher()}`,
    code: 'code_broken',
    says: /train_util\.py/,
  },
  {
    name: 'indentation in the checkout',
    log: `  File "/pod/sd-scripts/train_network.py", line 88\n    x = 1\nIndentationError: unexpected indent\n${launcher()}`,
    code: 'code_broken',
    says: /train_network\.py/,
  },

  {
    name: 'xformers has no operator',
    log: launched(
      "NotImplementedError: No operator found for `memory_efficient_attention_forward` with inputs:\n     query       : shape=(1, 4096, 1, 512) (torch.float32)\n     key         : shape=(1, 4096, 1, 512) (torch.float32)\n`cutlassF` is not supported because:\n    device=cpu (supported: {'cuda'})\n    triton is not available\n    Operator wasn't built - see `python -m xformers.info` for more info",
    ),
    argv: [PYTHON, '--xformers'],
    code: 'attention_missing',
    says: /--sdpa|sdpa/,
  },
  {
    name: 'flash attention GPU',
    log: launched('RuntimeError: FlashAttention only supports Ampere GPUs or newer.'),
    code: ['attention_missing', 'gpu_unsupported'],
    says: /sdpa/i,
  },
  {
    name: 'flash attention missing',
    log: launched(
      'ImportError: FlashAttention2 has been toggled on, but it cannot be used due to the following error: the package flash_attn seems to be not installed.',
    ),
    code: ['attention_missing', 'package_missing'],
    says: /flash/i,
  },
  {
    name: 'sage attention missing',
    log: launched("ModuleNotFoundError: No module named 'sageattention'"),
    code: ['attention_missing', 'package_missing'],
    says: /sageattention/,
  },

  {
    name: 'compiler missing',
    log: launched(
      'torch._dynamo.exc.BackendCompilerFailed: backend=\'inductor\' raised:\nRuntimeError: Failed to find C compiler. Please specify via CC environment variable or set triton.knobs.build.impl.\n\nSet TORCH_LOGS="+dynamo" and TORCHDYNAMO_VERBOSE=1 for more information',
    ),
    code: 'compiler_missing',
  },
  {
    name: 'compiler missing, C++',
    log: launched(
      "torch._inductor.exc.InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')",
    ),
    code: 'compiler_missing',
  },
  {
    name: 'compiler missing, FileNotFound',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: 'gcc'"),
    code: 'compiler_missing',
  },
  {
    name: 'headers missing',
    log: launched(
      "torch._inductor.exc.InductorError: CalledProcessError: Command '['/usr/bin/gcc', '/tmp/tmpd8/main.c', '-O3', '-shared', '-fPIC', '-lcuda', '-o', '/tmp/tmpd8/cuda_utils.so']' returned non-zero exit status 1.",
      {
        before: `${TRAINING}\n/tmp/tmpd8/main.c:4:10: fatal error: Python.h: No such file or directory\n    4 | #include <Python.h>\n      |          ^~~~~~~~~~\ncompilation terminated.\n`,
      },
    ),
    code: ['compiler_missing', 'compile_failed'],
    says: /compil/i,
  },
  {
    name: 'headers missing, the compiler as the exception',
    log: launched(
      "subprocess.CalledProcessError: Command '['/usr/bin/gcc', '/tmp/tmpd8/main.c', '-O3', '-shared', '-fPIC', '-lcuda', '-o', '/tmp/tmpd8/cuda_utils.so']' returned non-zero exit status 1.",
      {
        before: `${TRAINING}\n/tmp/tmpd8/main.c:4:10: fatal error: Python.h: No such file or directory\ncompilation terminated.\n`,
      },
    ),
    code: ['compiler_missing', 'compile_failed'],
  },
  {
    name: 'dynamo cannot',
    log: launched(
      'torch._dynamo.exc.Unsupported: call_function BuiltinVariable(setattr)\n\nfrom user code:\n   File "/pod/sd-scripts/library/flux_models.py", line 100, in forward',
    ),
    code: ['compile_failed'],
    says: /compile|dynamo/,
  },
  {
    name: 'triton missing for compile',
    log: launched(
      'torch._inductor.exc.TritonMissing: Cannot find a working triton installation. Either the package is not installed or it is too old. More information on installing Triton can be found at: https://github.com/triton-lang/triton',
    ),
    code: ['compile_failed', 'package_missing', 'compiler_missing'],
    says: /triton/,
  },
  {
    name: 'DeepSpeed missing',
    log: launched('ImportError: DeepSpeed is not installed => run `pip3 install deepspeed` or build it from source'),
    code: ['package_missing', null],
    says: /deepspeed/i,
  },
  {
    name: 'CUDA_HOME',
    log: launched('OSError: CUDA_HOME environment variable is not set. Please set it to your CUDA install root.'),
    code: ['cuda_home', null, 'compiler_missing'],
    says: /CUDA_HOME/,
  },
  {
    name: 'a caching frame of a missing package',
    log: launched("ModuleNotFoundError: No module named 'einops'", { frames: CACHING }),
    code: 'package_missing',
    says: /einops/,
  },
  {
    name: 'accelerate not found by the shell',
    log: '/bin/sh: 1: accelerate: not found\n',
    exit: { code: 127, signal: null, oomKilled: false, oomKills: null },
    code: ['script_missing', 'package_missing', 'command_missing', null],
    says: /accelerate/,
  },
];
