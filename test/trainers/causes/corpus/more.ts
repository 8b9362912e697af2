import {
  bars,
  box,
  boxedLauncher,
  CACHING,
  CAUSED,
  CUDA_HINT,
  DURING,
  elastic,
  ended,
  endedBy,
  failed,
  IMPORTING,
  ignored,
  inWorker,
  LOADING,
  launched,
  launcher,
  PREPARED,
  prefixed,
  RESUMING,
  type Row,
  SAVING,
  TOKENIZER,
  TRAINING,
  traceback,
} from '../logs.js';

const before = PREPARED;
const plain = (exception: string): string => launched(exception, { before });

/** A last look: kinds that the other parts have, in words that they have not. */
export const more: Row[] = [
  {
    name: 'memory in backward, an autograd chain',
    log: `${TRAINING}\n${traceback('RuntimeError: CUDA out of memory. Tried to allocate 1.50 GiB (GPU 0; 11.76 GiB total capacity)')}${DURING}${traceback('RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`')}${launcher()}`,
    code: ['gpu_memory', 'gpu_kernel'],
  },
  {
    name: 'memory: cudaMalloc in xformers',
    log: launched('RuntimeError: cudaMalloc failed: out of memory'),
    code: 'gpu_memory',
  },
  {
    name: 'memory: hipBLAS',
    log: launched('RuntimeError: CUDA error: HIPBLAS_STATUS_ALLOC_FAILED when calling `hipblasCreate(handle)`'),
    code: 'gpu_memory',
  },
  {
    name: 'memory: cusolver',
    log: launched(
      'torch._C._LinAlgError: cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`',
    ),
    code: 'gpu_memory',
  },
  { name: 'memory: cuda graph', log: launched('RuntimeError: CUDA driver error: out of memory'), code: 'gpu_memory' },
  {
    name: 'memory: logged by rich with a box inside a record',
    log: `${TRAINING}\n                    ERROR    training failed                                        train.py:12\n                             ╭───────────────────── Traceback (most recent call last) ─────────────────────╮\n                             │ /pod/train.py:12 in main                                                    │\n                             ╰─────────────────────────────────────────────────────────────────────────────╯\n                             OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB\n`,
    code: ['gpu_memory', null],
    not: /disk|pip/,
  },
  {
    name: 'memory: worker of a spawn',
    log: `${TRAINING}\n${traceback('torch.multiprocessing.spawn.ProcessRaisedException: \n\n-- Process 1 terminated with the following error:\nTraceback (most recent call last):\n  File "/v/torch/multiprocessing/spawn.py", line 90, in _wrap\n    fn(i, *args)\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB')}`,
    code: 'gpu_memory',
  },
  {
    name: 'spawn: SIGKILL of a process',
    log: `${TRAINING}\n${traceback('torch.multiprocessing.spawn.ProcessExitedException: process 0 terminated with signal SIGKILL')}`,
    code: ['killed', 'ram'],
    says: /RAM/,
  },
  {
    name: 'spawn: SIGSEGV of a process',
    log: `${TRAINING}\n${traceback('torch.multiprocessing.spawn.ProcessExitedException: process 0 terminated with signal SIGSEGV')}`,
    code: 'crash',
  },
  {
    name: 'a pool of processes broke',
    log: `${before}${traceback('concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly while the future was running or pending.')}${launcher()}`,
    code: ['ram_or_shm', 'ram', null],
    says: /process/,
  },
  {
    name: 'joblib: a worker was killed',
    log: `${before}${traceback('joblib.externals.loky.process_executor.TerminatedWorkerError: A worker process managed by the executor was unexpectedly terminated. This could be caused by a segmentation fault while calling the function or by an excessive memory usage causing the Operating System to kill the worker.\n\nThe exit codes of the workers are {SIGKILL(-9)}')}${launcher()}`,
    code: ['ram', 'ram_or_shm', null],
  },
  {
    name: 'deepspeed launcher',
    log: `${TRAINING}\n${traceback("KeyError: 'latents'")}[2026-02-03 10:11:12,157] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 703\n[2026-02-03 10:11:12,157] [ERROR] [launch.py:325:sigkill_handler] ['/pod/venv/bin/python', '-u', 'train.py', '--local_rank=0'] exits with return code = 1\n`,
    code: null,
    says: /KeyError: 'latents'/,
  },
  {
    name: 'deepspeed launcher, SIGKILL',
    log: `${TRAINING}\n[2026-02-03 10:11:12,157] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 703\n[2026-02-03 10:11:12,157] [ERROR] [launch.py:325:sigkill_handler] ['/pod/venv/bin/python', '-u', 'train.py', '--local_rank=0'] exits with return code = -9\n`,
    code: ['killed', 'ram'],
    says: /RAM/,
  },
  {
    name: 'poetry or uv around it',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}error: process exited with status 1\n`,
    code: 'gpu_memory',
  },
  {
    name: 'srun around it',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}srun: error: node1: task 0: Exited with exit code 1\n`,
    code: 'gpu_memory',
  },
  {
    name: 'srun around it, killed',
    log: `${TRAINING}\nsrun: error: node1: task 0: Out Of Memory\nslurmstepd: error: Detected 1 oom_kill event in StepId=1.0. Some of the step tasks have been OOM Killed.\n`,
    code: ['ram', 'killed'],
    says: /RAM/,
  },
  {
    name: 'torchrun: rendezvous',
    log: `${traceback('torch.distributed.DistStoreError: Timed out after 901 seconds waiting for clients. 1/2 clients joined.')}${elastic()}`,
    code: ['gpu_timeout', 'gpu_links', null],
    says: /wait|clients/,
  },
  {
    name: 'torchrun: address',
    log: `${traceback('RuntimeError: The server socket has failed to bind to ?UNKNOWN? (errno: 98 - Address already in use).')}`,
    code: 'port_in_use',
  },
  {
    name: 'NCCL: heartbeat',
    log: `${TRAINING}\n[rank0]:[F203 10:11:12.000 ProcessGroupNCCL.cpp:1250] [PG 0 Rank 0] [PG 0 Rank 0] ProcessGroupNCCL's watchdog got stuck for 600 seconds without making progress in monitoring enqueued collectives. \n${elastic([{ rank: 0, exitcode: -6 }])}`,
    code: ['gpu_timeout', 'crash'],
    says: /watchdog|waited/,
  },
  {
    name: 'NCCL: barrier timeout',
    log: `${TRAINING}\n${traceback("torch.distributed.DistBackendError: [1] is setting up NCCL communicator and retrieving ncclUniqueId from [0] via c10d key-value store by key '0', but store->get('0') got error: Socket Timeout")}${elastic([{ rank: 1, exitcode: 1 }])}`,
    code: ['gpu_links', 'gpu_timeout', null],
    says: /NCCL/,
  },

  {
    name: 'disk: os error 28 in a rust panic',
    log: `${TRAINING}\nthread '<unnamed>' panicked at 'called \`Result::unwrap()\` on an \`Err\` value: Os { code: 28, kind: StorageFull, message: "No space left on device" }', src/lib.rs:12:5\n${traceback('pyo3_runtime.PanicException: called `Result::unwrap()` on an `Err` value: Os { code: 28, kind: StorageFull, message: "No space left on device" }', SAVING)}${launcher()}`,
    code: 'disk_full',
  },
  {
    name: 'disk: shutil',
    log: launched(
      "shutil.Error: [('/a/model.safetensors', '/b/model.safetensors', \"[Errno 28] No space left on device: '/b/model.safetensors'\")]",
      { frames: SAVING },
    ),
    code: 'disk_full',
  },
  {
    name: 'disk: PIL saves a sample',
    log: launched('OSError: [Errno 28] No space left on device', {
      frames: [
        [
          '/pod/sd-scripts/library/train_util.py',
          6500,
          'sample_image_inference',
          'image.save(os.path.join(save_dir, img_filename))',
        ],
      ],
    }),
    code: 'disk_full',
  },
  {
    name: 'disk: TensorBoard thread died long ago, training ended by memory',
    log: `${TRAINING}\nException in thread Thread-3:\n${traceback('OSError: [Errno 28] No space left on device')}${bars(13, 300)}\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${launcher()}`,
    code: 'gpu_memory',
  },
  {
    name: 'disk: quota in Japanese locale',
    log: launched("OSError: [Errno 122] ディスク使用量制限を超過しました: '/pod/outputs/cat/a.safetensors'", {
      frames: SAVING,
    }),
    code: 'quota',
  },
  {
    name: 'disk: full in German locale',
    log: launched(
      "OSError: [Errno 28] Auf dem Gerät ist kein Speicherplatz mehr verfügbar: '/pod/outputs/cat/a.safetensors'",
      { frames: SAVING },
    ),
    code: 'disk_full',
  },
  {
    name: 'missing in a French locale',
    log: launched("FileNotFoundError: [Errno 2] Aucun fichier ou dossier de ce type: '/pod/models/a.safetensors'", {
      frames: LOADING,
    }),
    code: 'file_missing',
    says: /a\.safetensors/,
  },
  {
    name: 'not allowed in Chinese',
    log: launched("PermissionError: [Errno 13] 权限不够: '/pod/outputs/cat/a.safetensors'", { frames: SAVING }),
    code: 'not_allowed',
    says: /a\.safetensors/,
  },
  {
    name: 'name with an apostrophe is missing',
    log: launched('FileNotFoundError: [Errno 2] No such file or directory: "/pod/datasets/cat\'s/a.png"'),
    code: 'file_missing',
    says: /cat's\/a\.png/,
  },
  {
    name: 'name with an apostrophe is no picture',
    log: launched('PIL.UnidentifiedImageError: cannot identify image file "/pod/datasets/cat\'s/a.png"'),
    code: 'picture_broken',
    says: /cat's\/a\.png/,
  },
  {
    name: 'WindowsPath',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: 'L:\\\\models\\\\a b.safetensors'"),
    code: 'file_missing',
    says: /a b\.safetensors/,
  },
  {
    name: 'PosixPath',
    log: launched("ValueError: PosixPath('/pod/models/x') is no model"),
    code: null,
    says: /PosixPath/,
  },
  {
    name: 'command missing: git',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: 'git'"),
    code: ['file_missing', 'command_missing'],
    says: /git/,
  },
  {
    name: 'command missing: ffmpeg',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'"),
    code: ['file_missing', 'command_missing'],
    says: /ffmpeg/,
  },

  {
    name: 'hub: gated, in two boxes',
    log: `${box('HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/google/gemma-2-2b/resolve/main/config.json')}\nThe above exception was the direct cause of the following exception:\n\n${box('GatedRepoError: 401 Client Error. (Request ID: Root=1)\n\nCannot access gated repo for url https://huggingface.co/google/gemma-2-2b/resolve/main/config.json.\nAccess to model google/gemma-2-2b is restricted.')}${boxedLauncher()}`,
    code: 'hub_gated',
    says: /google\/gemma-2-2b/,
  },
  {
    name: 'hub: 401 in an inner error, then the tokenizer',
    log: `${before}${traceback('requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/openai/clip/resolve/main/vocab.json', TOKENIZER)}${CAUSED}${traceback("OSError: Can't load tokenizer for 'openai/clip'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name.", TOKENIZER)}${launcher()}`,
    code: ['hub_token', 'tokenizer_missing'],
  },
  {
    name: 'hub: disk full behind the tokenizer',
    log: `${before}${traceback("OSError: [Errno 28] No space left on device: '/root/.cache/huggingface/x'", TOKENIZER)}${DURING}${traceback("OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name.", TOKENIZER)}${launcher()}`,
    code: 'disk_full',
  },
  {
    name: 'hub: offline behind LocalEntryNotFound',
    log: `${before}${traceback('huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/x: offline mode is enabled.', TOKENIZER)}${CAUSED}${traceback("huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files in the disk cache and outgoing traffic has been disabled. To enable hf.co look-ups and downloads online, set 'local_files_only' to False.", TOKENIZER)}${CAUSED}${traceback("OSError: We couldn't connect to 'https://huggingface.co' to load this file, couldn't find it in the cached files and it looks like openai/clip is not the path to a directory containing a file named config.json.", TOKENIZER)}${launcher()}`,
    code: 'hub_offline',
  },
  {
    name: 'hub: proxy behind LocalEntryNotFound',
    log: `${before}${traceback("requests.exceptions.ProxyError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded (Caused by ProxyError('Unable to connect to proxy'))")}${CAUSED}${traceback('huggingface_hub.errors.LocalEntryNotFoundError: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache.')}${launcher()}`,
    code: 'hub_proxy',
  },
  {
    name: 'hub: 429 behind LocalEntryNotFound',
    log: `${before}${traceback('requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/x/y/resolve/main/config.json')}${CAUSED}${traceback('huggingface_hub.errors.LocalEntryNotFoundError: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache.')}${launcher()}`,
    code: 'hub_too_many',
  },
  {
    name: 'hub: upload refused at the end',
    log: launched(
      'huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/repos/create (Request ID: Root=1-0;0)\n\nInvalid username or password.',
      { frames: [['/pod/sd-scripts/library/huggingface_util.py', 30, 'upload', 'api.create_repo(repo_id=repo_id)']] },
    ),
    code: 'hub_token',
  },
  {
    name: 'hub: a thread of the upload died, training went on',
    log: `${TRAINING}\nException in thread Thread-9 (upload):\n${traceback('huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/repos/create')}${bars(13, 900)}\n${traceback("KeyError: 'latents'")}${launcher()}`,
    code: null,
    says: /KeyError/,
  },

  {
    name: 'package: behind a fallback that fails, too',
    log: `${before}${traceback("ModuleNotFoundError: No module named 'tomllib'")}${DURING}${traceback("ModuleNotFoundError: No module named 'tomli'")}${launcher()}`,
    code: 'package_missing',
    says: /tomli/,
  },
  {
    name: 'package: transformers lazy import',
    log: plain(
      'ImportError: \nQwen2VLProcessor requires the Torchvision library but it was not found in your environment. Check out the instructions on the\ninstallation page: https://pytorch.org/get-started/locally/',
    ),
    code: 'package_missing',
    says: /torchvision/,
  },
  {
    name: 'package: accelerate for low_cpu_mem_usage',
    log: plain(
      'ImportError: Using `low_cpu_mem_usage=True` or a `device_map` requires Accelerate: `pip install accelerate`',
    ),
    code: ['package_missing', null],
    says: /[Aa]ccelerate/,
  },
  {
    name: 'package: bitsandbytes version',
    log: plain(
      'ImportError: Using `bitsandbytes` 8-bit quantization requires the latest version of bitsandbytes: `pip install -U bitsandbytes`',
    ),
    code: ['bitsandbytes', 'package_missing', 'package_version', null],
    says: /bitsandbytes/,
  },
  {
    name: 'package: bitsandbytes no GPU',
    log: plain(
      'RuntimeError: \n        The installed version of bitsandbytes was compiled without GPU support. 8-bit optimizers, 8-bit multiplication, and GPU quantization are unavailable.',
    ),
    code: 'bitsandbytes',
  },
  {
    name: 'package: libnvJitLink',
    log: plain(
      'ImportError: /pod/venv/lib/python3.10/site-packages/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12',
    ),
    code: ['package_broken', 'package_version'],
  },
  {
    name: 'package: libcudnn',
    log: `${before}Could not load library libcudnn_cnn_infer.so.8. Error: libcuda.so: cannot open shared object file: No such file or directory\n${launcher(-6)}`,
    code: ['crash', 'gpu_library', 'package_broken', 'system_library', 'gpu_missing'],
    says: /libcudnn|libcuda/,
  },
  {
    name: 'package: cudnn symbols, abort',
    log: `${TRAINING}\nCould not load symbol cudnnGetLibConfig. Error: /usr/lib/x86_64-linux-gnu/libcudnn.so.9: undefined symbol: cudnnGetLibConfig\n${launcher(-6)}`,
    code: ['crash', 'package_broken', 'gpu_library'],
    says: /cudnnGetLibConfig|cudnn/,
  },
  {
    name: 'package: illegal instruction',
    log: `${before}Illegal instruction (core dumped)\n`,
    exit: ended(132),
    code: 'crash',
    says: /processor/,
  },
  {
    name: 'package: torch needs AVX in words',
    log: `${before}F tensorflow/core/platform/cpu_feature_guard.cc:37] The TensorFlow library was compiled to use AVX instructions, but these aren't available on your machine.\n${launcher(-6)}`,
    code: 'crash',
    says: /AVX/,
  },
  {
    name: 'package: Python too old for a package',
    log: plain("TypeError: 'type' object is not subscriptable"),
    code: null,
  },
  {
    name: 'checkout: own module shadows',
    log: plain("ModuleNotFoundError: No module named 'library.ipex'; 'library' is not a package"),
    code: 'checkout_incomplete',
  },
  {
    name: 'checkout: tools',
    log: plain("ModuleNotFoundError: No module named 'tools.original_control_net'"),
    code: 'checkout_incomplete',
  },
  {
    name: 'checkout: a custom optimizer of the user',
    log: plain("ModuleNotFoundError: No module named 'my_optimizers'"),
    code: 'package_missing',
    says: /my[-_]optimizers/,
  },

  {
    name: 'cache: numpy header',
    log: launched('ValueError: EOF: reading array header, expected 2 bytes got 0', {
      frames: [['/pod/sd-scripts/library/strategy_base.py', 470, 'load_latents_from_disk', 'npz = np.load(npz_path)']],
    }),
    code: 'broken_cache',
  },
  {
    name: 'cache: safetensors of musubi',
    log: launched(
      'safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered',
      {
        before: `${before}loading /pod/datasets/cat/cache/001_0512x0512_wan.safetensors\n`,
        frames: [
          [
            '/pod/musubi/dataset/image_video_dataset.py',
            900,
            'get_batch',
            'with MemoryEfficientSafeOpen(cache_path) as f:',
          ],
        ],
      },
    ),
    code: ['cut_file', 'broken_cache'],
  },
  {
    name: 'cache: KeyError of a missing field',
    log: launched("KeyError: 'alpha_mask_64x64 is not a file in the archive'", { frames: CACHING }),
    code: 'broken_cache',
  },
  {
    name: 'picture: cv2 of a broken one',
    log: `${TRAINING}\n${inWorker("AttributeError: 'NoneType' object has no attribute 'shape'")}${launcher()}`,
    code: null,
    says: /NoneType/,
  },
  { name: 'picture: truncated png', log: launched('OSError: Truncated File Read'), code: 'picture_broken' },
  { name: 'picture: webp', log: launched('OSError: failed to read next frame'), code: ['picture_broken', null] },
  {
    name: 'picture: avif plugin',
    log: launched('OSError: decoder error -2 when reading image file'),
    code: 'picture_broken',
  },
  {
    name: 'picture: tag of EXIF',
    log: launched(
      'struct.error: unpack_from requires a buffer of at least 12 bytes for unpacking 2 bytes at offset 10',
    ),
    code: null,
  },
  {
    name: 'picture: no space left is its folder',
    log: launched(
      "PIL.UnidentifiedImageError: cannot identify image file '/pod/datasets/No space left on device/a.png'",
    ),
    code: 'picture_broken',
    not: /disk is full/,
  },
  {
    name: 'state: cut scheduler.bin',
    log: launched('RuntimeError: PytorchStreamReader failed locating file data.pkl: file not found', {
      before,
      frames: RESUMING,
    }),
    code: 'cut_file',
  },
  {
    name: 'state: invalid magic of a folder',
    log: launched('_pickle.UnpicklingError: pickle data was truncated', { before, frames: RESUMING }),
    code: 'cut_file',
  },
  {
    name: 'state: invalid load key zero bytes',
    log: launched("_pickle.UnpicklingError: invalid load key, '\\x00'.", { before, frames: RESUMING }),
    code: ['cut_file', 'wrong_file'],
    not: /Git LFS/,
  },
  {
    name: 'state: model.safetensors of zero bytes',
    log: launched('safetensors_rust.SafetensorError: Error while deserializing header: header too small', {
      before,
      frames: RESUMING,
    }),
    code: 'cut_file',
    says: /state folder/,
  },
  {
    name: 'state: DataLoader sampler',
    log: launched("AttributeError: 'DataLoaderShard' object has no attribute 'set_state'", {
      before,
      frames: RESUMING,
    }),
    code: null,
  },
  {
    name: 'settings: assert in sd-scripts',
    log: launched(
      'AssertionError: v2 with clip_skip will be unexpected / v2でclip_skipを使用することは想定されていません',
      {
        before,
        frames: [['/pod/sd-scripts/library/train_util.py', 4500, 'verify_training_args', 'assert not args.v2']],
      },
    ),
    code: 'settings_conflict',
    says: /v2 with clip_skip will be unexpected\./,
    not: /想定/,
  },
  {
    name: 'settings: prodigy args',
    log: launched("TypeError: Prodigy.__init__() got an unexpected keyword argument 'decople'"),
    code: null,
    says: /decople/,
    not: /accelerate|pip/,
  },
  {
    name: 'settings: network args',
    log: launched("TypeError: create_network() got an unexpected keyword argument 'conv_dims'"),
    code: null,
    says: /conv_dims/,
  },
  {
    name: 'settings: nan loss exit of a trainer',
    log: `${TRAINING}\nNaN detected in loss, stopping\n`,
    code: ['nan', null],
    says: /NaN/,
  },
  {
    name: 'settings: two flags refused',
    log: `usage: flux_train_network.py [-h]\nflux_train_network.py: error: argument --blocks_to_swap: invalid int value: 'eighteen'\n`,
    exit: ended(2),
    code: 'refused_flags',
    says: /blocks_to_swap.*eighteen/,
  },
  {
    name: 'settings: click',
    log: `Usage: train.py [OPTIONS]\nTry 'train.py --help' for help.\n\nError: No such option: --epochz Did you mean --epochs?\n`,
    exit: ended(2),
    code: [null, 'unknown_flags'],
    says: /--epochz/,
  },
  {
    name: 'settings: hydra',
    log: `Could not override 'lr_rate'.\nTo append to your config use +lr_rate=1\nKey 'lr_rate' is not in struct\n    full_key: lr_rate\n    object_type=dict\n\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n`,
    code: null,
  },
  {
    name: 'by hand: stop of a notebook',
    log: `${TRAINING}\n${traceback('KeyboardInterrupt: ')}`,
    exit: ended(130),
    code: 'interrupted',
  },
  {
    name: 'by hand: SystemExit',
    log: `${TRAINING}\n${traceback('SystemExit: stopped by the user')}`,
    code: null,
    says: /stopped by the user/,
  },
  {
    name: 'ranks: memory on one with a prefix, KeyboardInterrupt of others',
    log: `${TRAINING}\n${prefixed(0, traceback('torch.OutOfMemoryError: CUDA out of memory.').trimEnd())}\n${prefixed(1, traceback('KeyboardInterrupt').trimEnd())}\n${elastic(
      [
        { rank: 0, exitcode: 1 },
        { rank: 1, exitcode: 1 },
      ],
    )}`,
    code: 'gpu_memory',
  },
  {
    name: 'ranks: lost peer last, memory first',
    log: `${TRAINING}\n${prefixed(0, traceback('torch.OutOfMemoryError: CUDA out of memory.').trimEnd())}\n${prefixed(1, traceback('torch.distributed.DistBackendError: NCCL error in: x.cpp:1, remote process exited or there was a network error\nncclRemoteError: A call failed').trimEnd())}\n${elastic(
      [
        { rank: 0, exitcode: 1 },
        { rank: 1, exitcode: 1 },
      ],
    )}`,
    code: 'gpu_memory',
  },
  {
    name: 'ranks: no prefix, lost peer printed last',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${traceback('torch.distributed.DistBackendError: NCCL error in: x.cpp:1, remote process exited or there was a network error\nncclRemoteError: A call failed')}${elastic(
      [
        { rank: 0, exitcode: 1 },
        { rank: 1, exitcode: 1 },
      ],
    )}`,
    code: 'gpu_memory',
  },
  {
    name: 'aside: asyncio',
    log: `${TRAINING}\nTask exception was never retrieved\nfuture: <Task finished name='Task-1' coro=<x()> exception=ConnectionError()>\n${traceback('ConnectionError: away')}${bars(13, 99)}\n${traceback("KeyError: 'latents'")}`,
    code: null,
    says: /KeyError/,
  },
  {
    name: 'aside: at the very end after a success',
    log: `${TRAINING}${bars(13, 1600)}\n${ignored('<function x>', 'RuntimeError: CUDA error: driver shutting down')}`,
    exit: { ...failed, code: 0 },
    code: null,
  },
  {
    name: 'aside: hint of CUDA after assert',
    log: launched(`RuntimeError: CUDA error: named symbol not found\n${CUDA_HINT}`, { frames: IMPORTING }),
    code: null,
    says: /named symbol/,
  },
  { name: 'signal: SIGHUP', log: TRAINING, exit: endedBy('SIGHUP'), code: 'ended_by_signal', again: 'by hand' },
  { name: 'signal: SIGXCPU', log: TRAINING, exit: endedBy('SIGXCPU'), code: 'ended_by_signal', says: /SIGXCPU/ },
  {
    name: 'signal: SIGFPE behind the launcher',
    log: `${TRAINING}\n${launcher(-8)}`,
    code: ['crash', 'ended_by_signal'],
    says: /SIGFPE/,
  },
];
