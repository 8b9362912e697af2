import {
  bars,
  box,
  CACHING,
  CUDA_HINT,
  elastic,
  ended,
  endedBy,
  failed,
  IMPORTING,
  ignored,
  LOADING,
  launched,
  launcher,
  PREPARED,
  type Row,
  SAVING,
  succeeded,
  TRAINING,
  traceback,
} from '../logs.js';

const line = (words: string, level = 'WARNING') =>
  `                    ${level.padEnd(8)} ${words}  train_util.py:120\n`;
const xformers = `WARNING[XFORMERS]: xFormers can't load C++/CUDA extensions. xFormers was built for:\n    PyTorch 2.3.0+cu121 with CUDA 1201 (you have 2.1.0+cu121)\n  Memory-efficient attention, SwiGLU, sparse and more won't be available.\n`;
const triton = `A matching Triton is not available, some optimizations will not be enabled\n${traceback("ModuleNotFoundError: No module named 'triton'", [['/pod/venv/lib/python3.10/site-packages/xformers/__init__.py', 55, '_is_triton_available', 'from xformers.triton.softmax import softmax as triton_softmax  # noqa']])}`;
const key = "KeyError: 'latents'";
const unknownAfter = (before: string): Pick<Row, 'log' | 'code' | 'says'> => ({
  log: launched(key, { before }),
  code: null,
  says: /KeyError: 'latents'/,
});
const silent = (before: string): Pick<Row, 'log' | 'exit' | 'code' | 'says'> => ({
  log: `${before}${TRAINING.slice(PREPARED.length)}${bars(13, 200)}`,
  exit: ended(1),
  code: null,
});

/** Logs that mention a cause that was none. */
export const decoys: Row[] = [
  {
    name: 'decoy: triton is missing, then SIGKILL',
    log: `${triton}${TRAINING}\n${launcher(-9)}`,
    code: ['killed', 'ram'],
    not: /triton/,
  },
  { name: 'decoy: triton is missing, then an unknown end', ...unknownAfter(`${triton}${TRAINING}\n`) },
  { name: 'decoy: triton is missing, then nothing', ...silent(triton), not: /triton/ },
  { name: 'decoy: xformers cannot load', ...unknownAfter(`${xformers}${TRAINING}\n`) },
  {
    name: 'decoy: xformers cannot load, then GPU memory',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', { before: `${xformers}${TRAINING}\n` }),
    code: 'gpu_memory',
  },
  {
    name: 'decoy: bitsandbytes warns',
    ...unknownAfter(`bitsandbytes library load error: CUDA Setup failed despite GPU being available.\n${TRAINING}\n`),
  },
  {
    name: 'decoy: bitsandbytes could not load, training goes on',
    ...silent(
      `Could not load bitsandbytes native library: /pod/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cpu.so: cannot open shared object file: No such file or directory\n${traceback('OSError: /pod/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cpu.so: cannot open shared object file: No such file or directory', [['/pod/venv/lib/python3.10/site-packages/bitsandbytes/cextension.py', 109, '<module>', 'lib = get_native_library()']])}`,
    ),
    not: /bitsandbytes/,
  },
  {
    name: 'decoy: a caption',
    ...unknownAfter(
      `${TRAINING}\n${line('caption of 003.png: a cat with a sign that says CUDA out of memory', 'INFO')}`,
    ),
  },
  {
    name: 'decoy: a caption as the last words',
    log: `${PREPARED}${line('caption: torch.OutOfMemoryError: CUDA out of memory', 'INFO')}`,
    code: null,
    not: /GPU ran out/,
  },
  {
    name: 'decoy: a picture with a name',
    log: launched(key, {
      before: `${TRAINING}\n${line('loaded /pod/datasets/cat/No space left on device.png', 'INFO')}`,
    }),
    code: null,
    not: /disk is full/i,
  },
  {
    name: 'decoy: a broken picture with a name of a full disk',
    log: launched(
      "PIL.UnidentifiedImageError: cannot identify image file '/pod/datasets/cat/No space left on device.png'",
    ),
    code: 'picture_broken',
    not: /disk is full/i,
  },
  {
    name: 'decoy: a missing picture with the name of an OOM',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: '/pod/datasets/cat/CUDA out of memory.png'"),
    code: 'file_missing',
    not: /GPU ran out/,
  },
  {
    name: 'decoy: a missing picture in /pod/dev/shm pictures',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: '/pod/datasets/dev/shm-cat/a.png'"),
    code: 'file_missing',
    not: /shared memory/,
  },
  {
    name: 'decoy: sample prompt',
    ...unknownAfter(
      `${TRAINING}\n${line('prompt: a poster, "Disk quota exceeded", "Permission denied", red letters', 'INFO')}${line('height: 512', 'INFO')}`,
    ),
  },
  {
    name: 'decoy: the prompt in an exception',
    log: launched("ValueError: prompt 'a sign: No module named cat, out of memory' has no --w"),
    code: null,
    not: /GPU ran out|pip install/,
  },
  {
    name: 'decoy: the name of the session in the launcher',
    log: `${TRAINING}\n${launcher(1, ['/pod/venv/bin/python', 'train_network.py', '--output_name', 'CUDA out of memory'])}`,
    code: null,
    not: /GPU ran out/,
  },
  {
    name: 'decoy: pip warnings',
    ...unknownAfter(
      `WARNING: Running pip as the 'root' user can result in broken permissions.\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n${TRAINING}\n`,
    ),
  },
  {
    name: 'decoy: pip resolver',
    ...silent(
      "ERROR: pip's dependency resolver does not currently take into account all the packages that are installed. transformers 4.54.1 requires huggingface-hub<1.0, but you have huggingface-hub 1.2.0 which is incompatible.\n",
    ),
    not: /huggingface/,
  },
  {
    name: 'decoy: hub warnings before an OOM',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', {
      before: `Error while fetching \`HF_TOKEN\` secret value from your vault: 'Requesting secret HF_TOKEN timed out.'.\nYou are not authenticated with the Hugging Face Hub in this notebook.\n'(ReadTimeoutError("HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out. (read timeout=10)"), '(Request ID: 0)')' thrown while requesting HEAD https://huggingface.co/x/resolve/main/y\nRetrying in 1s [Retry 1/5].\n${TRAINING}\n`,
    }),
    code: 'gpu_memory',
    not: /hub|token/i,
  },
  {
    name: 'decoy: hub warnings, an unknown end',
    ...unknownAfter(
      `'(MaxRetryError("HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded"), '(Request ID: 0)')' thrown while requesting HEAD https://huggingface.co/x\n${TRAINING}\n`,
    ),
  },
  {
    name: 'decoy: unauthenticated requests',
    ...silent(
      'Warning: You are sending unauthenticated requests to the HF Hub. Please set a HF_TOKEN to enable higher rate limits and faster downloads.\n',
    ),
    not: /token/i,
  },
  {
    name: 'decoy: wandb says it cannot sync',
    ...unknownAfter(
      `${TRAINING}\nwandb: WARNING Unable to render HTML, can't import display from ipython.core\nwandb: Network error (ConnectionError), entering retry loop.\nwandb: ERROR Error while calling W&B API: permission denied (<Response [403]>)\n`,
    ),
  },
  {
    name: 'decoy: wandb offline, then memory',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', {
      before: `${TRAINING}\nwandb: Network error (ConnectionError), entering retry loop.\n`,
    }),
    code: 'gpu_memory',
  },
  {
    name: 'decoy: disk words in a warning that was survived',
    ...silent(`${line('Could not save sample: [Errno 28] No space left on device')}${PREPARED}`),
    not: /disk/,
  },
  {
    name: 'decoy: a state that could not be read, another was taken',
    ...unknownAfter(
      `${PREPARED}${line('Could not load random states: [Errno 2] No such file or directory', 'INFO')}${TRAINING.slice(PREPARED.length)}\n`,
    ),
  },
  {
    name: 'decoy: OOM during a sample that was caught',
    ...unknownAfter(
      `${TRAINING}\n${line('sampling failed: CUDA out of memory. Tried to allocate 2.00 GiB. Skipped.')}${bars(13, 300)}\n`,
    ),
  },
  {
    name: 'decoy: a traceback of OOM that was caught, training went on',
    ...unknownAfter(
      `${TRAINING}\nsampling failed, going on:\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${bars(13, 900)}\n`,
    ),
    not: /GPU ran out/,
  },
  {
    name: 'decoy: a traceback of OOM that was caught, SIGTERM later',
    log: `${TRAINING}\nsampling failed, going on:\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${bars(13, 900)}\nepoch 2/8\n${bars(900, 1200)}`,
    exit: endedBy('SIGTERM'),
    code: 'ended_by_signal',
    not: /GPU ran out/,
  },
  {
    name: 'decoy: tensorboard without a GPU',
    ...silent(
      '2026-02-03 10:11:12.345: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9261] Unable to register cuDNN factory: Attempting to register factory for plugin cuDNN when one has already been registered\n2026-02-03 10:11:12.400: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] TF-TRT Warning: Could not find TensorRT\n',
    ),
    not: /cuDNN/,
  },
  {
    name: 'decoy: nvidia-smi is missing, then unknown',
    ...unknownAfter(`/bin/sh: 1: nvidia-smi: not found\n${TRAINING}\n`),
  },
  {
    name: 'decoy: torch warns of a new GPU, then memory',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', {
      before: `/x.py:235: UserWarning: \nNVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.\n${TRAINING}\n`,
    }),
    code: 'gpu_memory',
  },
  {
    name: 'decoy: driver words in a warning',
    ...silent(
      '/x.py:118: UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 11040).\n',
    ),
    not: /driver/,
  },
  {
    name: 'decoy: ignored at shutdown, exit 0',
    log: `${TRAINING}${bars(13, 1600)}\n${ignored('<function _MultiProcessingDataLoaderIter.__del__ at 0x7f>', 'OSError: [Errno 28] No space left on device')}`,
    exit: succeeded,
    code: null,
    not: /disk/,
  },
  {
    name: 'decoy: ignored at shutdown, then a signal',
    log: `${TRAINING}\n${ignored('<function Pool.__del__ at 0x7f>', 'OSError: [Errno 24] Too many open files')}`,
    exit: endedBy('SIGTERM'),
    code: 'ended_by_signal',
    not: /ulimit/,
  },
  {
    name: 'decoy: a leaked semaphore',
    ...silent(
      '/usr/lib/python3.10/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 20 leaked semaphore objects to clean up at shutdown\n',
    ),
    not: /memory/,
  },
  {
    name: 'decoy: a leaked semaphore at the end of SIGKILL',
    log: `${TRAINING}\n/usr/lib/python3.10/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 20 leaked semaphore objects to clean up at shutdown\n`,
    exit: endedBy('SIGKILL'),
    code: ['killed', 'ram'],
  },
  {
    name: 'decoy: skipped broken pictures',
    ...unknownAfter(`${TRAINING}\n${line('skipped: cannot identify image file /pod/datasets/cat/7.png')}`),
    not: /7\.png/,
  },
  {
    name: 'decoy: flash attention is not built',
    ...silent(
      '/x.py:100: UserWarning: 1Torch was not compiled with flash attention. (Triggered internally at sdp_utils.cpp:555.)\n',
    ),
    not: /compiled/,
  },
  {
    name: 'decoy: nan in the bar, an unknown end',
    ...unknownAfter(`${TRAINING}\rsteps:   2%|▏         | 30/1600 [00:20<25:41, 1.03it/s, avr_loss=nan]\n`),
  },
  {
    name: 'decoy: usage in a prompt',
    ...unknownAfter(`${TRAINING}\n${line('prompt: usage: a manual of a machine, error: red letters', 'INFO')}`),
  },
  {
    name: 'decoy: argparse words of a helper before',
    ...unknownAfter(
      `usage: tensorboard [-h] [--helpfull]\ntensorboard: error: unrecognized arguments: --bind\n${TRAINING}\n`,
    ),
    not: /--bind/,
  },
  {
    name: 'decoy: launcher warns of missing settings',
    ...unknownAfter(
      `The following values were not passed to \`accelerate launch\` and had defaults used instead:\n\t\`--num_processes\` was set to a value of \`1\`\nTo avoid this warning pass in values for each of the problematic parameters or run \`accelerate config\`.\n${TRAINING}\n`,
    ),
  },
  {
    name: 'decoy: a FileNotFound of a font in a library',
    log: launched(
      "FileNotFoundError: [Errno 2] No such file or directory: '/pod/venv/lib/python3.10/site-packages/wandb/vendor/x.json'",
      { frames: IMPORTING },
    ),
    code: ['file_missing', 'package_broken'],
    says: /x\.json/,
  },
  {
    name: 'decoy: "Killed" in a caption, exit 1',
    log: `${TRAINING}\n${line('caption: Killed by a dragon', 'INFO')}`,
    code: null,
    not: /RAM/,
  },
  {
    name: 'decoy: an older attempt in the same log',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${launcher()}${TRAINING}${bars(13, 400)}\n${traceback(key)}${launcher()}`,
    code: null,
    says: /KeyError: 'latents'/,
    not: /GPU ran out/,
  },
  {
    name: 'decoy: 401 of wandb in the exception is no hub',
    log: launched(
      'wandb.errors.AuthenticationError: API key verification failed for host https://api.wandb.ai. Make sure your API key is valid. 401 Client Error: Unauthorized',
    ),
    code: 'tracker_login',
    not: /Hugging/,
  },
  {
    name: 'decoy: gated words in a model card',
    log: launched(key, { before: `${TRAINING}\n${line('modelspec: You are trying to access a gated repo', 'INFO')}` }),
    code: null,
    not: /licen[cs]e/i,
  },
  {
    name: 'decoy: a CUDA hint alone',
    log: launched(`RuntimeError: CUDA error: operation not supported\n${CUDA_HINT}`),
    code: [null, 'gpu_kernel', 'gpu_unsupported'],
    not: /out of memory/,
  },
  {
    name: 'decoy: out of memory in the hint of another error',
    log: launched(
      'RuntimeError: CUDA error: peer mapping resources exhausted\nIf you see "out of memory" elsewhere, lower the batch size.',
    ),
    code: [null, 'gpu_links', 'gpu_kernel'],
    not: /GPU ran out/,
  },
  {
    name: 'decoy: "No module named" inside a caption error',
    log: launched('ValueError: caption "No module named \'cat\'" is too long for 75 tokens'),
    code: null,
    not: /pip install/,
  },
  {
    name: 'decoy: Errno 28 as a number of pictures',
    log: launched('ValueError: batch 28: No space left in bucket (28)'),
    code: null,
    not: /disk is full/i,
  },
  {
    name: 'decoy: Permission denied in a log of git',
    ...unknownAfter(
      `fatal: detected dubious ownership in repository at '/pod/sd-scripts'\ngit@github.com: Permission denied (publickey).\n${TRAINING}\n`,
    ),
  },
  {
    name: 'decoy: box of a warning',
    ...unknownAfter(
      `${box("ModuleNotFoundError: No module named 'triton'", [`/pod/venv/lib/python3.10/site-packages/xformers/__init__.py:55 in _is_triton_available`])}${TRAINING}\n`,
    ),
    not: /triton/,
  },
  {
    name: 'decoy: the child of the elastic table was SIGTERMed by the agent',
    log: `${TRAINING}\n${traceback(key)}${elastic([
      { rank: 0, exitcode: 1 },
      { rank: 1, exitcode: -15 },
    ])}`,
    code: null,
    says: /KeyError: 'latents'/,
  },
  {
    name: 'decoy: cut file words about a sample that was skipped',
    ...unknownAfter(
      `${TRAINING}\n${line('Error while deserializing header: HeaderTooLarge (ignored: /pod/models/old.safetensors)')}`,
    ),
  },
  {
    name: 'decoy: saving worked again after a full disk',
    log: `${TRAINING}\n${line('OSError: [Errno 28] No space left on device, trying again in 60 s')}${bars(13, 500)}\n${line('model saved.', 'INFO')}${traceback(key, SAVING)}${launcher()}`,
    code: null,
    not: /disk is full/i,
  },
  {
    name: 'decoy: a missing optional package in a chain that ends otherwise',
    log: `${PREPARED}${traceback("ModuleNotFoundError: No module named 'apex'")}\nDuring handling of the above exception, another exception occurred:\n\n${traceback('safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge', LOADING)}${launcher()}`,
    code: 'wrong_file',
    not: /apex/,
  },
  {
    name: 'decoy: memory words while caching, cache is broken',
    log: launched('zipfile.BadZipFile: File is not a zip file', {
      before: `${PREPARED}${line('low GPU memory: caching one by one')}`,
      frames: CACHING,
    }),
    code: 'broken_cache',
  },
  {
    name: 'decoy: counters moved for a worker, the trainer failed otherwise',
    log: launched(key),
    exit: { ...failed, oomKills: 1 },
    code: null,
    says: /KeyError/,
  },
  {
    name: 'decoy: a connection breaks at last, a traceback was logged long before',
    log: `${TRAINING}\n${traceback(key)}${traceback("requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))")}${launcher()}`,
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'decoy: no pictures for regularization, as last words',
    log: `${PREPARED}${line('found directory reg, no images found in it')}`,
    code: null,
    not: /found no pictures/,
  },
  {
    name: 'decoy: a model called bitsandbytes',
    log: launched(
      "FileNotFoundError: [Errno 2] No such file or directory: '/pod/models/bitsandbytes cat/libbitsandbytes_x.so.safetensors'",
    ),
    code: 'file_missing',
    not: /8-bit/,
  },
  {
    name: 'decoy: a folder called wandb',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: '/pod/wandb/login api key/a.png'"),
    code: 'file_missing',
    not: /tracker/,
  },
  {
    name: 'decoy: a class called NaN',
    log: launched("KeyError: 'NaN detected in latents'"),
    code: [null, 'nan'],
    says: /NaN/,
  },
  {
    name: 'decoy: a number that is a status',
    log: launched('ValueError: expected 429 tokens, got 401'),
    code: null,
    not: /hub/,
  },
  { name: 'decoy: 404 pictures', log: launched('AssertionError: 404 Client pictures'), code: null, not: /hub/ },
  {
    name: 'decoy: memory that is fine',
    log: launched('ValueError: memory_efficient_attention wants 4 heads'),
    code: null,
    not: /memory \(RAM\)|GPU ran/,
  },
  {
    name: 'decoy: a driver in a caption',
    log: launched('ValueError: caption too long: the truck driver on your system is too old'),
    code: null,
    not: /driver is too old/,
  },
  {
    name: 'decoy: a permission in a prompt',
    log: launched("KeyError: 'Permission denied'"),
    code: null,
    not: /may not be read/,
  },
  { name: 'decoy: interrupted in a name', log: launched('ValueError: unknown sampler KeyboardInterrupt'), code: null },
  {
    name: 'decoy: words of a hub in an unknown end',
    log: launched('ValueError: huggingface card has no tags'),
    code: null,
    not: /hub/,
  },
  {
    name: 'decoy: triton words in a hint',
    log: launched('RuntimeError: shape mismatch\nhint: triton is not available'),
    code: null,
    not: /triton/,
  },
  { name: 'decoy: gloo words without a timeout', log: launched('RuntimeError: gloo is not initialised'), code: null },
  {
    name: 'decoy: a slow loader',
    log: launched('ValueError: The DataLoader worker count must be positive'),
    code: null,
    not: /\/dev\/shm|RAM/,
  },
  { name: 'decoy: a seed that is a port', log: launched('ValueError: seed 29500 is taken'), code: null, not: /port/ },
  { name: 'decoy: xformers warns last', log: `${TRAINING}\n${xformers}`, code: null, not: /sdpa/ },
  {
    name: 'decoy: a hub warning as last words',
    log: `${PREPARED}'(ReadTimeoutError("HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out."), '(Request ID: 0)')' thrown while requesting HEAD https://huggingface.co/x\n`,
    code: null,
    not: /Check the network/,
  },
  {
    name: 'decoy: a full disk of pip as last words',
    log: `${PREPARED}ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n`,
    code: null,
    says: /No space left/,
  },
  {
    name: 'decoy: a log that says that memory was saved',
    log: `${TRAINING}\n${line('out of memory was avoided by block swap', 'INFO')}${traceback(key)}${launcher()}`,
    code: null,
    not: /GPU ran/,
  },
];
