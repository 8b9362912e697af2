import {
  bars,
  box,
  boxedLauncher,
  CAUSED,
  CUDA_HINT,
  DURING,
  elastic,
  ended,
  endedBy,
  failed,
  ignored,
  inWorker,
  launched,
  launcher,
  PREPARED,
  type Row,
  TRAINING,
  traceback,
} from '../logs.js';

/** FluxGym writes each line anew, with a time and without what it was indented by. */
const fluxgym = (log: string) => log.replace(/^ */gm, '').replace(/^/gm, '[2024-09-08 16:11:06] [INFO] ');
/** ai-toolkit prints what it raises to two streams that end in one file. */
const twice = (log: string) =>
  log
    .trimEnd()
    .split('\n')
    .flatMap((line) =>
      /^\s{4}/.test(line)
        ? [`${line}${line.trim()}`]
        : /^\w+Error: /.test(line)
          ? [line.replace(/^(\w+): (.*)$/, '$1$1: : $2$2')]
          : [line, line],
    )
    .join('\n');
const aiToolkit = (exception: string) =>
  `Running 1 job\nRunning  1 process\nLoading Flux model\nError running job: ${exception.replace(/^[\w.]+: /, '')}\n\n========================================\nResult:\n - 0 completed jobs\n - 1 failure\n========================================\n`;
const AI_FRAMES: Parameters<typeof traceback>[1] = [
  ['/app/ai-toolkit/run.py', 120, '<module>', 'main()'],
  ['/app/ai-toolkit/run.py', 108, 'main', 'raise e'],
  ['/app/ai-toolkit/jobs/ExtensionJob.py', 22, 'run', 'process.run()'],
];
const short = (exception: string, exit = failed): Pick<Row, 'log' | 'exit'> => ({
  log: launched(exception, { before: PREPARED }),
  exit,
});

/** Ends as people reported them in public, of sd-scripts and of other trainers. */
export const reported: Row[] = [
  {
    name: 'FluxGym: GPU memory',
    log: fluxgym(launched('torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 72.00 MiB.')),
    code: 'gpu_memory',
  },
  { name: 'FluxGym: unknown', log: fluxgym(launched("KeyError: 'latents'")), code: null, says: /KeyError: 'latents'/ },
  {
    name: 'FluxGym: state_dict of a wrong clip',
    log: fluxgym(
      launched(
        'RuntimeError: Error(s) in loading state_dict for CLIPTextModel:\n\tMissing key(s) in state_dict: "text_model.final_layer_norm.weight". ',
        { before: PREPARED },
      ),
    ),
    code: 'wrong_model',
  },
  { name: 'FluxGym: killed', log: fluxgym(`${TRAINING}\n${launcher(-9)}`), code: ['killed', 'ram'] },
  {
    name: 'FluxGym: missing model',
    log: fluxgym(
      launched("FileNotFoundError: [Errno 2] No such file or directory: '/app/fluxgym/models/unet/flux1-dev.sft'", {
        before: PREPARED,
      }),
    ),
    code: 'file_missing',
    says: /flux1-dev\.sft/,
  },
  {
    name: 'ai-toolkit: GPU memory',
    log: `${aiToolkit('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 90.00 MiB.')}${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 90.00 MiB.', AI_FRAMES)}`,
    code: 'gpu_memory',
  },
  {
    name: 'ai-toolkit: doubled',
    log: `${aiToolkit('IndexError: list index out of range')}${twice(traceback('IndexError: list index out of range', AI_FRAMES))}\n`,
    code: null,
    says: /list index out of range/,
  },
  {
    name: 'ai-toolkit: doubled, a package',
    log: `${aiToolkit("ImportError: cannot import name 'HiDreamImageLoraLoaderMixin' from 'diffusers.loaders' (/app/venv/lib/python3.12/site-packages/diffusers/loaders/__init__.py)")}${twice(traceback("ImportError: cannot import name 'HiDreamImageLoraLoaderMixin' from 'diffusers.loaders' (/app/venv/lib/python3.12/site-packages/diffusers/loaders/__init__.py)", AI_FRAMES))}\n`,
    code: 'package_version',
    says: /diffusers/,
  },
  {
    name: 'ai-toolkit: gated',
    log: `${aiToolkit('OSError: You are trying to access a gated repo.')}${traceback('OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/black-forest-labs/FLUX.1-dev.\n401 Client Error. (Request ID: Root=1-0;0)', AI_FRAMES)}`,
    code: 'hub_gated',
    says: /FLUX\.1-dev/,
  },
  {
    name: 'ai-toolkit: no folder of networks',
    log: traceback("ModuleNotFoundError: No module named 'networks'", AI_FRAMES),
    code: 'checkout_incomplete',
  },
  {
    name: 'ai-toolkit: PEFT',
    log: `${aiToolkit('ValueError: PEFT backend is required for this method.')}${traceback('ValueError: PEFT backend is required for this method.', AI_FRAMES)}`,
    code: ['package_missing', null],
    says: /PEFT|peft/,
  },
  {
    name: 'ai-toolkit: no LoRA modules',
    log: `${aiToolkit('ValueError: There are not any lora modules in this network. Check your config and try again')}${traceback('ValueError: There are not any lora modules in this network. Check your config and try again', AI_FRAMES)}`,
    code: null,
    says: /not any lora modules/,
  },
  {
    name: 'OneTrainer: GPU memory',
    log: `${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}Creating Backup workspace/run/backup/2024-10-04\nSaving workspace/run/model.safetensors\n`,
    code: 'gpu_memory',
  },
  {
    name: 'OneTrainer: could not save',
    log: `${bars(1, 400)}\nCould not save backup. Check your disk space!\n${bars(400, 800)}\n${traceback("KeyError: 'latents'")}`,
    code: null,
    not: /disk is full/i,
    says: /KeyError/,
  },
  {
    name: 'OneTrainer: samples missing',
    log: traceback("FileNotFoundError: [Errno 2] No such file or directory: 'training_samples/mine.json'"),
    code: 'file_missing',
    says: /training_samples\/mine\.json/,
  },
  {
    name: 'diffusers: peft too old',
    ...short("TypeError: LoraConfig.__init__() got an unexpected keyword argument 'use_dora'"),
    code: ['package_version', null],
    says: /use_dora/,
  },
  {
    name: 'diffusers: transformers and diffusers',
    ...short("TypeError: CLIPTextModel.__init__() got an unexpected keyword argument 'offload_state_dict'"),
    code: ['package_version', null],
    says: /offload_state_dict/,
  },
  {
    name: 'diffusers: a chain of imports',
    log: `${traceback("ImportError: cannot import name 'EncoderDecoderCache' from 'transformers' (/v/lib/python3.10/site-packages/transformers/__init__.py)")}${CAUSED}${traceback("RuntimeError: Failed to import diffusers.loaders.lora_pipeline because of the following error (look up to see its traceback):\nFailed to import peft because of the following error (look up to see its traceback):\ncannot import name 'EncoderDecoderCache' from 'transformers'")}${launcher()}`,
    code: 'package_version',
    says: /transformers/,
  },
  {
    name: 'diffusers: RuntimeError of an import of a missing package',
    log: `${traceback("RuntimeError: Failed to import diffusers.models.autoencoders because of the following error (look up to see its traceback):\nNo module named 'flash_attn_2_cuda'")}${launcher()}`,
    code: ['package_missing', 'package_broken', 'attention_missing'],
    says: /flash[-_]attn/,
  },
  {
    name: 'diffusers: cannot load a class',
    ...short(
      "ValueError: Cannot load <class 'diffusers.models.unets.unet_2d_condition.UNet2DConditionModel'> from /pod/models/sdxl because the following keys are missing: \n down_blocks.0.attentions.0.proj_in.weight, down_blocks.0.attentions.0.proj_in.bias.",
    ),
    code: ['wrong_model', null],
    says: /family|keys are missing/,
  },

  {
    name: 'bf16 without support',
    ...short('RuntimeError: Current CUDA Device does not support bfloat16. Please switch dtype to float16.'),
    code: ['gpu_unsupported', null],
    says: /fp16|float16/,
  },
  {
    name: 'fp8 without support',
    ...short(
      'RuntimeError: torch._scaled_mm is only supported on CUDA devices with compute capability >= 9.0 or 8.9, or ROCm MI300+',
    ),
    code: 'gpu_unsupported',
  },
  {
    name: 'half on the CPU',
    ...short('RuntimeError: "slow_conv2d_cpu" not implemented for \'Half\''),
    code: ['gpu_missing', null],
    says: /slow_conv2d_cpu|GPU/,
  },
  {
    name: 'addmm half on the CPU',
    ...short('RuntimeError: "addmm_impl_cpu_" not implemented for \'Half\''),
    code: ['gpu_missing', null],
  },
  {
    name: 'float8 cast missing',
    ...short("AttributeError: module 'torch' has no attribute 'float8_e4m3fn'"),
    code: 'package_version',
    says: /torch/,
  },
  {
    name: 'deterministic algorithms',
    ...short(
      'RuntimeError: Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)`, but this operation is not deterministic because it uses CuBLAS and you have CUDA >= 10.2. set CUBLAS_WORKSPACE_CONFIG=:4096:8',
    ),
    code: null,
    says: /CUBLAS_WORKSPACE_CONFIG|Deterministic/,
  },
  {
    name: 'CUDA launch out of resources',
    ...short(`RuntimeError: CUDA error: too many resources requested for launch\n${CUDA_HINT}`),
    code: 'kernel_too_large',
  },
  {
    name: 'CUDA invalid argument',
    ...short(`RuntimeError: CUDA error: invalid argument\n${CUDA_HINT}`),
    code: null,
    says: /invalid argument/,
    not: /broke off/,
  },
  {
    name: 'CUDA initialization error in a fork',
    ...short(
      "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start method",
    ),
    code: null,
    says: /re-initialize CUDA/,
  },
  {
    name: 'cuda mode unknown error',
    ...short(
      'RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero.',
    ),
    code: 'gpu_missing',
  },
  {
    name: 'NVML',
    ...short(
      'RuntimeError: NVML_SUCCESS == r INTERNAL ASSERT FAILED at "../c10/cuda/CUDACachingAllocator.cpp":995, please report a bug to PyTorch. ',
    ),
    code: [null, 'gpu_memory', 'gpu_missing'],
    says: /NVML|GPU/,
  },
  {
    name: 'GPU memory of another process',
    ...short(
      'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacty of 23.65 GiB of which 5.06 MiB is free. Process 3456 has 22.01 GiB memory in use. Including non-PyTorch memory, this process has 1.62 GiB memory in use.',
    ),
    code: 'gpu_memory',
    says: /other programs/,
  },
  {
    name: 'GPU memory, Ascend',
    ...short(
      'RuntimeError: NPU out of memory. Tried to allocate 2.00 GiB (NPU 0; 60.97 GiB total capacity; 57.07 GiB already allocated)',
    ),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, DirectML',
    ...short(
      'RuntimeError: Could not allocate tensor with 1073741824 bytes. There is not enough GPU video memory available!',
    ),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, MIOpen',
    ...short('RuntimeError: miopenStatusInternalError, cuDNN error: miopenStatusAllocFailed'),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, in a worker',
    log: `${TRAINING}\n${inWorker('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB')}${launcher()}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, bnb is the last',
    ...short('RuntimeError: Error: CUDA out of memory in bitsandbytes paged optimizer'),
    code: ['gpu_memory', null],
  },
  {
    name: 'GPU memory, then SIGTERM of the others',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}${elastic(
      [
        { rank: 0, exitcode: 1 },
        { rank: 1, exitcode: -15 },
      ],
    )}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, on exit atexit of wandb',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}wandb: \nwandb: 🚀 View run cat at: https://wandb.ai/x/y/runs/z\nwandb: Find logs at: wandb/run-2026/logs\n${launcher()}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory and a leaked semaphore and the bar',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}\rsteps:   1%|          | 12/1600 [00:13<28:41,  1.03s/it, avr_loss=0.112]\n/usr/lib/python3.10/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown\n  warnings.warn('resource_tracker: There appear to be %d '\n${launcher()}`,
    code: 'gpu_memory',
  },

  {
    name: 'shm: RuntimeError of a queue',
    log: `${TRAINING}\n${inWorker('RuntimeError: unable to mmap 2359296 bytes from file </torch_4021_123_0>: Cannot allocate memory (12)')}${launcher()}`,
    code: ['shm', 'ram'],
  },
  {
    name: 'shm: torch_shm_manager',
    ...short(
      'RuntimeError: torch_shm_manager at "/pod/venv/lib/python3.10/site-packages/torch/bin/torch_shm_manager": could not generate a random directory for manager socket',
    ),
    code: [null, 'shm', 'disk_full'],
    says: /torch_shm_manager|shared memory|temporary/,
  },
  {
    name: 'no temporary directory',
    ...short(
      "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/pod']",
    ),
    code: ['disk_full', 'no_temp', null],
    says: /temporary|full/i,
  },
  {
    name: 'disk: HF cache not enough',
    log: launched('OSError: [Errno 28] No space left on device', {
      before: `${PREPARED}/v/huggingface_hub/file_download.py:1006: UserWarning: Not enough free disk space to download the file. The expected file size is: 9524.60 MB. The target location /root/.cache only has 3021.00 MB free disk space.\n`,
    }),
    code: 'disk_full',
  },
  { name: 'disk: sqlite', ...short('sqlite3.OperationalError: database or disk is full'), code: 'disk_full' },
  { name: 'disk: locked database', ...short('sqlite3.OperationalError: database is locked'), code: null, not: /full/ },
  {
    name: 'disk: torch.save cannot open',
    ...short('RuntimeError: File /pod/outputs/cat/cat-000004-state/optimizer.bin cannot be opened.'),
    code: [null, 'not_allowed', 'disk_error'],
    says: /optimizer\.bin/,
  },
  {
    name: 'disk: parent missing',
    ...short('RuntimeError: Parent directory /pod/outputs/cat does not exist.'),
    code: ['file_missing', null],
    says: /\/pod\/outputs\/cat/,
  },
  {
    name: 'disk: safetensors no parent',
    ...short(
      'safetensors_rust.SafetensorError: Error while serializing: IoError(Os { code: 2, kind: NotFound, message: "No such file or directory" })',
    ),
    code: ['file_missing', null],
    says: /No such file|folder/,
    not: /^NotFound is/,
  },
  {
    name: 'disk: device busy',
    ...short("OSError: [Errno 16] Device or resource busy: '/pod/outputs/cat/.nfs0001'"),
    code: [null, 'disk_error'],
    says: /nfs0001|busy/i,
  },
  {
    name: 'disk: bad address of fuse',
    ...short("OSError: [Errno 103] Software caused connection abort: '/pod/outputs/cat'"),
    code: [null, 'disk_error', 'network'],
    says: /\/pod\/outputs\/cat|connection abort/,
  },

  {
    name: 'hub: in a box',
    log: `${box("OSError: We couldn't connect to 'https://huggingface.co' to load this file, couldn't find it in the cached \nfiles and it looks like openai/clip-vit-large-patch14 is not the path to a directory containing a file named \nconfig.json.")}${boxedLauncher()}`,
    code: ['hub_unreachable', 'tokenizer_missing'],
  },
  {
    name: 'hub: ConnectionError wording of transformers',
    ...short(
      "OSError: There was a specific connection error when trying to load openai/clip-vit-large-patch14:\n<class 'requests.exceptions.ConnectionError'> (Request ID: 0)",
    ),
    code: ['hub_unreachable', 'network'],
  },
  {
    name: 'hub: 416',
    ...short(
      'huggingface_hub.errors.HfHubHTTPError: 416 Client Error: Requested Range Not Satisfiable for url: https://cdn-lfs.huggingface.co/x',
    ),
    code: null,
    says: /416/,
  },
  {
    name: 'hub: 403 of storage limit',
    ...short(
      'huggingface_hub.errors.HfHubHTTPError: 403 Forbidden: Private repository storage limit reached, please upgrade your plan to increase your private storage limit..\nCannot access content at: https://huggingface.co/api/models/cat/lora.git/info/lfs/objects/batch.',
    ),
    code: ['hub_storage', null],
    says: /storage/i,
    not: /licen[cs]e/i,
  },
  {
    name: 'hub: disabled repository',
    ...short(
      'huggingface_hub.errors.DisabledRepoError: 403 Client Error. (Request ID: Root=1-0;0)\n\nCannot access repository for url https://huggingface.co/cat/model/resolve/main/config.json.\nAccess to this resource is disabled.',
    ),
    code: ['hub_not_found', 'hub_token_rights', null],
    says: /cat\/model|disabled/,
  },
  {
    name: 'hub: file lock',
    ...short(
      "filelock._error.Timeout: The file lock '/root/.cache/huggingface/hub/.locks/x.lock' could not be acquired.",
    ),
    code: null,
    says: /lock/,
  },
  {
    name: 'hub: symlink forbidden',
    ...short("OSError: [Errno 95] Operation not supported: '../../blobs/abc' -> '/pod/cache/snapshots/x/config.json'"),
    code: null,
    says: /not supported/,
  },
  {
    name: 'hub: mirror',
    ...short(
      "requests.exceptions.ConnectTimeout: (MaxRetryError(\"HTTPSConnectionPool(host='hf-mirror.com', port=443): Max retries exceeded with url: /openai/clip (Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to hf-mirror.com timed out. (connect timeout=10)'))\"), '(Request ID: 0)')",
    ),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'hub: civitai',
    ...short('urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>'),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'wandb: 403',
    log: `${TRAINING}\nwandb: ERROR Error while calling W&B API: permission denied (<Response [403]>)\n${traceback('wandb.errors.CommError: permission denied')}${launcher()}`,
    code: 'tracker_login',
    says: /wandb/,
  },
  {
    name: 'swanlab',
    ...short('swanlab.error.KeyFileError: The api key is not found, please login first: swanlab login'),
    code: ['tracker_login', null],
    says: /swanlab/i,
  },

  {
    name: 'package: xformers and torch',
    ...short(
      "ImportError: cannot import name '_C' from 'xformers' (/v/lib/python3.10/site-packages/xformers/__init__.py)",
    ),
    code: ['package_version', 'attention_missing', 'package_broken'],
    says: /xformers/,
  },
  {
    name: 'package: triton on Windows words',
    ...short(
      'RuntimeError: Cannot find a working triton installation. More information on installing Triton can be found at https://github.com/openai/triton',
    ),
    code: ['compile_failed', 'package_missing'],
    says: /triton/,
  },
  {
    name: 'package: importlib.metadata',
    ...short('importlib.metadata.PackageNotFoundError: No package metadata was found for bitsandbytes'),
    code: ['package_missing', null],
    says: /bitsandbytes/,
  },
  {
    name: 'package: The tokenizers requirement',
    ...short(
      'ImportError: tokenizers>=0.21,<0.22 is required for a normal functioning of this module, but found tokenizers==0.20.3.\nTry: `pip install transformers -U`',
    ),
    code: 'package_version',
    says: /tokenizers/,
  },
  {
    name: 'package: pkg_resources',
    ...short("ModuleNotFoundError: No module named 'pkg_resources'"),
    code: 'package_missing',
    says: /setuptools/,
  },
  {
    name: 'package: partially initialized cv2',
    ...short(
      "AttributeError: partially initialized module 'cv2' has no attribute 'gapi_wip_gst_GStreamerPipeline' (most likely due to a circular import)",
    ),
    code: ['package_broken', 'package_version', null],
    says: /cv2/,
  },
  {
    name: 'package: NumPy 2',
    ...short('AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.'),
    code: ['package_version', null],
    says: /NumPy|numpy/,
  },
  {
    name: 'package: np.bool',
    ...short("AttributeError: module 'numpy' has no attribute 'bool'."),
    code: 'package_version',
    says: /numpy/,
  },
  {
    name: 'package: triton PY_SSIZE',
    ...short("SystemError: PY_SSIZE_T_CLEAN macro must be defined for '#' formats"),
    code: null,
    says: /PY_SSIZE/,
  },
  {
    name: 'package: safetensors no attr',
    ...short("AttributeError: module 'safetensors' has no attribute 'deserialize_x'"),
    code: 'package_version',
  },
  {
    name: 'package: own file called torch.py',
    log: launched("AttributeError: module 'torch' has no attribute 'nn'", {
      before: '',
      frames: [['/pod/sd-scripts/torch.py', 3, '<module>', 'import torch']],
    }),
    code: ['package_version', 'package_broken', null],
  },
  {
    name: 'checkout: submodule is empty',
    log: `/pod/venv/bin/python: can't open file '/pod/kohya_ss/sd-scripts/sdxl_train_network.py': [Errno 2] No such file or directory\n${launcher(2)}`,
    code: 'script_missing',
    says: /sdxl_train_network\.py/,
  },
  {
    name: 'checkout: no such function',
    ...short("AttributeError: module 'library.train_util' has no attribute 'verify_command_line_training_args'"),
    code: ['checkout_incomplete', null],
    says: /verify_command_line_training_args/,
  },
  {
    name: 'checkout: strategy class',
    ...short(
      "ImportError: cannot import name 'StateDictKeys' from 'library.flux_utils' (/pod/sd-scripts/library/flux_utils.py)",
    ),
    code: 'checkout_incomplete',
  },
  {
    name: 'checkout: musubi',
    ...short("ModuleNotFoundError: No module named 'musubi_tuner'"),
    code: ['package_missing', 'checkout_incomplete'],
    says: /musubi/,
    not: /pip install musubi-tuner;/,
  },

  {
    name: 'picture: PIL truncated with a path in a note',
    log: launched('OSError: image file is truncated (12 bytes not processed)\nwhile loading /pod/datasets/cat/9.jpg', {
      python: 11,
    }),
    code: 'picture_broken',
    says: /9\.jpg/,
  },
  {
    name: 'picture: heif',
    ...short(
      "PIL.UnidentifiedImageError: cannot identify image file <_io.BufferedReader name='/pod/datasets/cat/a.png'>",
    ),
    code: 'picture_broken',
    says: /a\.png/,
  },
  {
    name: 'picture: BytesIO',
    ...short('PIL.UnidentifiedImageError: cannot identify image file <_io.BytesIO object at 0x7f3d2c>'),
    code: 'picture_broken',
    not: /0x7f3d2c is not/,
  },
  {
    name: 'picture: no such size',
    ...short('ValueError: height and width must be > 0'),
    code: null,
    says: /height and width/,
  },
  { name: 'picture: image has wrong mode', ...short('ValueError: image has wrong mode'), code: null },
  { name: 'picture: missing in metadata', ...short('AssertionError: no image directory'), code: [null, 'no_data'] },
  {
    name: 'no data: DataLoader',
    ...short('ValueError: num_samples should be a positive integer value, but got num_samples=0'),
    code: 'no_data',
  },
  {
    name: 'no data: too small for buckets',
    log: `${PREPARED}${traceback('ZeroDivisionError: float division by zero', [['/pod/sd-scripts/library/train_util.py', 870, 'make_buckets', 'mean_img_ar_error = np.mean(np.abs(img_ar_errors))']])}${launcher()}`,
    code: [null, 'no_data'],
  },
  {
    name: 'caption: charmap',
    ...short(
      "UnicodeDecodeError: 'charmap' codec can't decode byte 0x9d in position 12: character maps to <undefined>",
    ),
    code: ['caption_encoding', null],
  },
  {
    name: 'caption: another file that is not text',
    log: launched("UnicodeDecodeError: 'utf-8' codec can't decode byte 0x80 in position 128: invalid start byte", {
      before: PREPARED,
      frames: [['/pod/sd-scripts/library/train_util.py', 5218, '_load_target_model', 'config = json.load(open(path))']],
    }),
    code: [null, 'wrong_file'],
    not: /caption/i,
  },
  {
    name: 'caption: TOML that is not UTF-8',
    log: launched("UnicodeDecodeError: 'utf-8' codec can't decode byte 0x83 in position 20: invalid start byte", {
      before: PREPARED,
      frames: [['/pod/sd-scripts/library/config_util.py', 690, 'load_user_config', 'config = toml.load(file)']],
    }),
    code: ['config_broken', 'caption_encoding', null],
    says: /UTF-8|utf-8/,
  },

  {
    name: 'state: pickle of another python',
    ...short("ModuleNotFoundError: No module named 'numpy._core'"),
    code: ['package_version', 'package_missing', 'package_broken'],
    says: /numpy/,
    not: /pip install numpy;/,
  },
  {
    name: 'state: weights only numpy',
    ...short(
      '_pickle.UnpicklingError: Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution.\n\tWeightsUnpickler error: Unsupported global: GLOBAL numpy._core.multiarray._reconstruct was not an allowed global by default.',
    ),
    code: ['weights_only', 'package_version', null],
    not: /error page|Git LFS/,
  },
  {
    name: 'state: scaler',
    ...short(
      'RuntimeError: The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.',
    ),
    code: [null, 'other_precision'],
    says: /GradScaler|precision/,
  },
  {
    name: 'state: tensor sizes in the optimizer',
    ...short('RuntimeError: The size of tensor a (4) must match the size of tensor b (8) at non-singleton dimension 0'),
    code: [null],
  },
  {
    name: 'weights: dim from another LoRA',
    log: launched(
      'RuntimeError: Error(s) in loading state_dict for LoRANetwork:\n\tsize mismatch for lora_unet_down.weight: copying a param with shape torch.Size([4, 320]) from checkpoint, the shape in current model is torch.Size([8, 320]).',
      {
        before: PREPARED,
        frames: [
          ['/pod/sd-scripts/networks/lora.py', 900, 'load_weights', 'info = self.load_state_dict(weights_sd, False)'],
        ],
      },
    ),
    argv: ['python', '--network_weights=/pod/old.safetensors'],
    code: ['size_mismatch', 'other_network'],
    not: /state folder/,
  },
  {
    name: 'argument: ast',
    log: launched('ValueError: malformed node or string on line 1: <ast.Name object at 0x7f>', {
      before: PREPARED,
      frames: [['/pod/sd-scripts/library/train_util.py', 3403, 'get_optimizer', 'value = ast.literal_eval(value)']],
    }),
    code: ['optimizer_args', null],
    says: /malformed|optimizer/,
  },
  {
    name: 'argument: ast, SyntaxError',
    log: `${PREPARED}Traceback (most recent call last):\n  File "/pod/sd-scripts/library/train_util.py", line 3403, in get_optimizer\n    value = ast.literal_eval(value)\n  File "/usr/lib/python3.10/ast.py", line 64, in literal_eval\n    node_or_string = parse(node_or_string.lstrip(" \\t"), mode='eval')\n  File "<unknown>", line 1\n    0.9,,0.99\n        ^\nSyntaxError: invalid syntax\n${launcher()}`,
    code: ['optimizer_args', null],
    not: /git status|checkout/,
  },
  {
    name: 'argument: empty resolution',
    ...short("ValueError: invalid literal for int() with base 10: ''"),
    code: null,
    says: /invalid literal/,
  },
  {
    name: 'argument: caching and augment',
    ...short(
      'AssertionError: when caching latents, either color_aug or random_crop cannot be used / latentをキャッシュするときはcolor_augとrandom_cropは使えません',
    ),
    code: [null, 'settings_conflict'],
    says: /color_aug/,
  },
  {
    name: 'argument: accelerate config',
    ...short('ValueError: Please specify either `--deepspeed` or `--fsdp`'),
    code: null,
  },
  {
    name: 'argument: DDP',
    log: `${TRAINING}\n${traceback('RuntimeError: Expected to have finished reduction in the prior iteration before starting a new one. This error indicates that your module has parameters that were not used in producing loss.')}${elastic()}`,
    code: null,
    says: /finished reduction/,
  },
  {
    name: 'ranks: wrong GPU number',
    log: `${TRAINING}\n${traceback(`RuntimeError: CUDA error: invalid device ordinal\n${CUDA_HINT}`)}${elastic([{ rank: 1, exitcode: 1 }])}`,
    code: ['gpu_missing', 'gpu_number'],
  },
  {
    name: 'ranks: libuv',
    log: `${TRAINING}\n${traceback('torch.distributed.DistStoreError: use_libuv was requested but PyTorch was built without libuv support')}${elastic()}`,
    code: null,
  },
  {
    name: 'ranks: no NCCL',
    log: `${TRAINING}\n${traceback("RuntimeError: Distributed package doesn't have NCCL built in")}${elastic()}`,
    code: [null, 'gpu_links', 'package_version'],
    says: /NCCL/,
  },
  {
    name: 'ranks: duplicate GPU',
    log: `${TRAINING}\n${traceback('torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:77, invalid usage (run with NCCL_DEBUG=WARN for details), NCCL version 2.26.2\nncclInvalidUsage: This usually reflects invalid usage of NCCL library.\nLast error:\nDuplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000')}${elastic()}`,
    code: ['gpu_number', 'gpu_links', null],
    says: /Duplicate|same GPU|GPU/,
  },
  { name: 'ranks: SIGSEGV of one', log: `${TRAINING}\n${elastic([{ rank: 1, exitcode: -11 }])}`, code: 'crash' },
  { name: 'ranks: bus error of one', log: `${TRAINING}\n${elastic([{ rank: 0, exitcode: -7 }])}`, code: 'shm' },
  {
    name: 'thread that ends it: worker init',
    log: `${TRAINING}\nException in thread Thread-5 (_pin_memory_loop):\n${traceback('RuntimeError: unable to open shared memory object </torch_1_2_3> in read-write mode: Too many open files (24)')}${traceback('RuntimeError: Pin memory thread exited unexpectedly')}${launcher()}`,
    code: 'open_files',
  },
  {
    name: 'thread of the bar',
    log: `${TRAINING}\n${ignored('<function tqdm.__del__ at 0x7f>', "AttributeError: 'tqdm' object has no attribute 'disable'")}${launcher(-9)}`,
    code: ['killed', 'ram'],
  },
  {
    name: 'out of memory of the container, a shell says so',
    log: `${TRAINING}\n/pod/train.sh: line 3:   712 Killed                  accelerate launch train_network.py\n`,
    code: ['killed', 'ram', null],
    says: /Killed|RAM/,
  },
  {
    name: 'a second Ctrl-C',
    log: `${TRAINING}\n${traceback('KeyboardInterrupt')}${DURING}${traceback('KeyboardInterrupt')}`,
    exit: endedBy('SIGINT'),
    code: 'interrupted',
    again: 'by hand',
  },
  {
    name: 'exit 2 of a missing file as a script',
    log: "python3: can't open file '/pod/sd-scripts/train_network.py': [Errno 2] No such file or directory\n",
    exit: ended(2),
    code: 'script_missing',
    says: /train_network\.py/,
  },
  {
    name: 'exit 126',
    log: '/bin/bash: /pod/venv/bin/python: Permission denied\n',
    exit: ended(126),
    code: [null, 'not_allowed'],
    says: /python/,
  },
  {
    name: 'exit 127',
    log: '/bin/bash: line 1: /pod/venv/bin/python: No such file or directory\n',
    exit: ended(127),
    code: [null, 'script_missing', 'file_missing', 'package_missing'],
    says: /venv\/bin\/python/,
  },
];
