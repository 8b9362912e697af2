import {
  CACHING,
  CUDA_HINT,
  DURING,
  elastic,
  ended,
  endedBy,
  IMPORTING,
  inWorker,
  LOADING,
  launched,
  launcher,
  PREPARED,
  RESUMING,
  type Row,
  SAVING,
  TOKENIZER,
  TRAINING,
  traceback,
} from '../logs.js';

type Code = Row['code'];
type How = Partial<Omit<Row, 'name' | 'log' | 'code'>> & {
  before?: string;
  frames?: typeof LOADING;
  python?: 8 | 10 | 11 | 13;
};

export const row = (
  name: string,
  exception: string,
  code: Code,
  { before, frames, python, ...row }: How = {},
): Row => ({
  name,
  log: launched(exception, {
    ...(before === undefined ? {} : { before }),
    ...(frames ? { frames } : {}),
    ...(python ? { python } : {}),
  }),
  code,
  ...row,
});
const raw = (name: string, log: string, code: Code, more: How = {}): Row => ({ name, log, code, ...more });
export const start = { before: PREPARED };

/** Words of torch, CUDA, ROCm, diffusers, transformers, the hub's and other libraries, in the spelling of their releases. */
export const unseen: Row[] = [
  // The GPU's memory.
  row(
    'torch 2.9 calls it an error of the accelerator',
    `torch.AcceleratorError: CUDA error: out of memory\nSearch for \`cudaErrorMemoryAllocation' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more information.\n${CUDA_HINT}`,
    'gpu_memory',
  ),
  row(
    'cuBLAS finds no room for its handle',
    'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`',
    'gpu_memory',
  ),
  row('the driver itself has no memory', 'RuntimeError: CUDA driver error: out of memory', 'gpu_memory'),
  row(
    'an Intel GPU',
    'torch.OutOfMemoryError: XPU out of memory. Tried to allocate 76.00 MiB. GPU 0 has a total capacity of 15.91 GiB. Of the allocated memory 14.97 GiB is allocated by PyTorch, and 414.30 MiB is reserved by PyTorch but unallocated.',
    'gpu_memory',
  ),
  row('an Intel GPU of old', 'RuntimeError: Allocation is out of device memory on current platform.', [
    'gpu_memory',
    null,
  ]),
  row(
    'a Mac',
    'RuntimeError: MPS backend out of memory (MPS allocated: 17.98 GB, other allocations: 122.67 MB, max allowed: 18.13 GB). Tried to allocate 80.00 MB on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit for memory allocations (may cause system failure).',
    'gpu_memory',
  ),
  row(
    'NCCL found no memory',
    `torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:275, unhandled cuda error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5\nncclUnhandledCudaError: Call to CUDA function failed.\nLast error:\nFailed to CUDA calloc async 608 bytes, Cuda failure 2 'out of memory'`,
    ['gpu_memory'],
  ),
  row(
    'the allocator cannot ask nvidia',
    'RuntimeError: NVML_SUCCESS == r INTERNAL ASSERT FAILED at "../c10/cuda/CUDACachingAllocator.cpp":995, please report a bug to PyTorch. ',
    ['gpu_memory', null],
  ),
  row('bitsandbytes in its paged optimizer', 'Error out of memory at line 380 in file /src/csrc/pythonInterface.cpp', [
    'gpu_memory',
    'ram',
    null,
  ]),
  raw(
    'bitsandbytes in its own words',
    `${TRAINING}\nCUDA error: out of memory at line 452 in file /src/csrc/ops.cu\n${launcher(1)}`,
    'gpu_memory',
  ),
  // RAM and shared memory.
  row(
    'numpy has no room',
    'numpy._core._exceptions._ArrayMemoryError: Unable to allocate 24.0 MiB for an array with shape (2048, 1024, 3) and data type float32',
    'ram',
    { frames: CACHING },
  ),
  row(
    'torch has no room',
    "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 188743680 bytes. Error code 12 (Cannot allocate memory)",
    'ram',
    { frames: LOADING, ...start },
  ),
  row('no memory for a fork', 'OSError: [Errno 12] Cannot allocate memory', 'ram'),
  row('a bare MemoryError', 'MemoryError', 'ram', { frames: LOADING, ...start }),
  row('safetensors cannot be mapped', 'OSError: Cannot allocate memory (os error 12)', 'ram', {
    frames: LOADING,
    ...start,
  }),
  row(
    'shared memory full, of multiprocessing',
    "OSError: [Errno 28] No space left on device: '/dev/shm/pym-1417-b1xq8j1p'",
    'shm',
  ),
  row(
    'shared memory full, of torch',
    'RuntimeError: unable to write to file </torch_1819_2423795512_0>: No space left on device (28)',
    'shm',
  ),
  row(
    'shared memory that cannot be opened for the files open',
    'RuntimeError: unable to open shared memory object </torch_2233_1533471884_91> in read-write mode: Too many open files (24)',
    'open_files',
  ),
  row(
    'a loader worker on a bus error',
    "RuntimeError: DataLoader worker (pid 4411) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.",
    'shm',
  ),
  row('no thread more', "RuntimeError: can't start new thread", 'processes'),
  row('no process more', 'BlockingIOError: [Errno 11] Resource temporarily unavailable', ['processes', null], {
    frames: [['/usr/lib/python3.10/multiprocessing/popen_fork.py', 66, '_launch', 'self.pid = os.fork()']],
  }),
  raw(
    'OpenBLAS gets no thread',
    `OpenBLAS blas_thread_init: pthread_create failed for thread 5 of 64: Resource temporarily unavailable\nOpenBLAS blas_thread_init: RLIMIT_NPROC 1024 current, 1024 max\n`,
    ['processes', 'crash'],
    { exit: endedBy('SIGSEGV') },
  ),
  // Disks.
  row(
    'safetensors on a full disk',
    'safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)',
    'disk_full',
    { frames: SAVING },
  ),
  row(
    'torch.save on a full disk',
    'RuntimeError: [enforce fail at inline_container.cc:664] . unexpected pos 67108928 vs 67108822',
    'disk_full',
    { frames: SAVING },
  ),
  row(
    'torch.save cannot write',
    'RuntimeError: PytorchStreamWriter failed writing file data/312: file write failed',
    ['disk_full', 'disk_error'],
    { frames: SAVING },
  ),
  row('a quota', "OSError: [Errno 122] Disk quota exceeded: '/workspace/outputs/cat/cat-000004.safetensors'", 'quota', {
    frames: SAVING,
  }),
  row(
    'xet on a full disk',
    'RuntimeError: Data processing error: CAS service error : IO Error: No space left on device (os error 28)',
    'disk_full',
    { frames: TOKENIZER, ...start },
  ),
  row(
    'a network volume that forgot the file',
    "OSError: [Errno 116] Stale file handle: '/workspace/outputs/cat/sample'",
    'disk_error',
  ),
  row(
    'a network volume that is gone',
    "OSError: [Errno 107] Transport endpoint is not connected: '/workspace/datasets/cat/01.png'",
    'disk_error',
  ),
  row('a broken disk', 'OSError: [Errno 5] Input/output error', 'disk_error', { frames: CACHING }),
  // The hub.
  row(
    'not on the list',
    `huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-674a0f2b-6a1c;5b1c)\n\nCannot access gated repo for url https://huggingface.co/black-forest-labs/FLUX.1-dev/resolve/main/ae.safetensors.\nAccess to model black-forest-labs/FLUX.1-dev is restricted and you are not in the authorized list. Visit https://huggingface.co/black-forest-labs/FLUX.1-dev to ask for access.`,
    'hub_gated',
    { frames: TOKENIZER, ...start, says: /black-forest-labs\/FLUX\.1-dev/ },
  ),
  row(
    'repository not found, without a token',
    `huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-66a)\n\nRepository Not Found for url: https://huggingface.co/runwayml/stable-diffusion-v1-5/resolve/main/model_index.json.\nPlease make sure you specified the correct \`repo_id\` and \`repo_type\`.\nIf you are trying to access a private or gated repo, make sure you are authenticated. For more details, see https://huggingface.co/docs/huggingface_hub/authentication\nInvalid username or password.`,
    ['hub_not_found', 'hub_token'],
    start,
  ),
  row(
    'the hub is broken',
    'huggingface_hub.errors.HfHubHTTPError: 504 Server Error: Gateway Time-out for url: https://huggingface.co/api/models/google/t5-v1_1-xxl/revision/main',
    'hub_down',
    start,
  ),
  row(
    'the hub answers too late',
    `requests.exceptions.ReadTimeout: (ReadTimeoutError("HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out. (read timeout=10)"), '(Request ID: 9d0b)')`,
    ['hub_down', 'hub_unreachable', 'network'],
    start,
  ),
  row(
    'the hub over httpx, no names',
    'httpx.ConnectError: [Errno -3] Temporary failure in name resolution',
    ['hub_offline', 'network'],
    start,
  ),
  row(
    'offline as asked for',
    'huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/openai/clip-vit-large-patch14/resolve/main/tokenizer_config.json: offline mode is enabled. To disable it, please unset the `HF_HUB_OFFLINE` environment variable.',
    'hub_offline',
    { frames: TOKENIZER, ...start },
  ),
  row(
    'nothing in the cache and no network',
    `${'huggingface_hub.errors.LocalEntryNotFoundError'}: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache. Please check your connection and try again or make sure your Internet connection is on.`,
    ['hub_unreachable', 'network'],
    start,
  ),
  row(
    'a path that is no repository',
    `huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/workspace/models/flux1-dev'. Use \`repo_type\` argument if needed.`,
    ['model_missing', 'file_missing'],
    { ...start, says: /\/workspace\/models\/flux1-dev/ },
  ),
  row(
    'hf_transfer is asked for',
    `ValueError: Fast download using 'hf_transfer' is enabled (HF_HUB_ENABLE_HF_TRANSFER=1) but 'hf_transfer' package is not available in your environment. Try \`pip install hf_transfer\`.`,
    'package_missing',
    { ...start, says: /hf_transfer/ },
  ),
  row(
    'a file arrived in another size',
    `OSError: Consistency check failed: file should be of size 246144152 but has size 12582912 (model.safetensors).\nThis is usually due to network issues while downloading the file. Please retry with \`force_download=True\`.`,
    ['hub_unreachable', 'cut_file'],
    start,
  ),
  row(
    'the download broke off',
    `requests.exceptions.ChunkedEncodingError: ('Connection broken: IncompleteRead(8388608 bytes read, 4586520576 more expected)', IncompleteRead(8388608 bytes read, 4586520576 more expected))`,
    ['hub_down', 'hub_unreachable', 'network'],
    start,
  ),
  row(
    'a certificate of the house',
    `requests.exceptions.SSLError: (MaxRetryError("HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /x (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1007)')))"), '(Request ID: 1)')`,
    'hub_certificate',
    start,
  ),
  row(
    'a token that is none',
    'huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/whoami-v2 (Request ID: Root=1)\n\nInvalid user token. The token from HF_TOKEN environment variable is invalid. Note that HF_TOKEN takes precedence over `hf auth login`.',
    'hub_token',
    start,
  ),
  // Libraries.
  row(
    "a name that the hub's library no longer has",
    "ImportError: cannot import name 'cached_download' from 'huggingface_hub' (/pod/venv/lib/python3.10/site-packages/huggingface_hub/__init__.py)",
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'diffusers says what is missing',
    "RuntimeError: Failed to import diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion because of the following error (look up to see its traceback):\nNo module named 'torchvision'",
    'package_missing',
    { frames: IMPORTING, before: '', says: /torchvision/ },
  ),
  row('torchvision for another torch', 'RuntimeError: operator torchvision::nms does not exist', 'package_version', {
    frames: IMPORTING,
    before: '',
  }),
  row(
    'a torch without a kind of number',
    "AttributeError: module 'torch' has no attribute 'float8_e4m3fn'",
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'a library of the system',
    'ImportError: libGL.so.1: cannot open shared object file: No such file or directory',
    'system_library',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'a C++ library that is too old',
    "ImportError: /lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /pod/venv/lib/python3.10/site-packages/matplotlib/_path.so)",
    ['system_library', 'package_broken'],
    { frames: IMPORTING, before: '' },
  ),
  row('numpy 2 with a torch of numpy 1', 'RuntimeError: Numpy is not available', ['package_broken', null], {
    frames: CACHING,
  }),
  row(
    'numpy of another size',
    'ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject',
    'package_broken',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'bitsandbytes without its library',
    "AttributeError: 'NoneType' object has no attribute 'cadam32bit_grad_fp32'",
    'bitsandbytes',
  ),
  row(
    'bitsandbytes for another CUDA',
    `RuntimeError: Configured CUDA binary not found at /pod/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cuda128.so`,
    'bitsandbytes',
  ),
  row(
    'triton finds no compiler',
    'RuntimeError: Failed to find C compiler. Please specify via CC environment variable or set triton.knobs.build.impl.',
    'compiler_missing',
  ),
  row(
    'no header of Python',
    "subprocess.CalledProcessError: Command '['/usr/bin/gcc', '/tmp/tmpb7/main.c', '-O3', '-shared', '-fPIC', '-o', '/tmp/tmpb7/cuda_utils.so', '-lcuda']' returned non-zero exit status 1.",
    ['compiler_missing', null],
    {
      before: `${TRAINING}\n/tmp/tmpb7/main.c:4:10: fatal error: Python.h: No such file or directory\n    4 | #include <Python.h>\n      |          ^~~~~~~~~~\ncompilation terminated.\n`,
    },
  ),
  row(
    'compiling without triton',
    'torch._dynamo.exc.BackendCompilerFailed: backend=\'inductor\' raised:\nRuntimeError: Cannot find a working triton installation. Either the package is not installed or it is too old. More information on installing Triton can be found at: https://github.com/triton-lang/triton\n\nSet TORCH_LOGS="+dynamo" and TORCHDYNAMO_VERBOSE=1 for more information',
    ['compile_failed', 'package_missing'],
    { says: /triton/i },
  ),
  row('a torch without CUDA', 'AssertionError: Torch not compiled with CUDA enabled', 'gpu_missing', { before: '' }),
  row(
    'no driver',
    'RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx',
    ['gpu_missing', 'gpu_driver'],
    { before: '' },
  ),
  row(
    'an old driver',
    'RuntimeError: The NVIDIA driver on your system is too old (found version 11080). Please update your GPU driver by downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx',
    'gpu_driver',
    { before: '' },
  ),
  row(
    'a driver before the hardware',
    'RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 804: forward compatibility was attempted on non supported HW',
    'gpu_driver',
    { before: '' },
  ),
  row(
    'a fabric that is not up',
    'RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 802: system not yet initialized',
    ['gpu_driver', 'gpu_links', 'gpu_missing'],
    { before: '' },
  ),
  row(
    'a GPU that somebody holds',
    `RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable\n${CUDA_HINT}`,
    ['gpu_busy', 'gpu_lost', 'gpu_missing', null],
    { before: '' },
  ),
  row(
    'an AMD GPU that torch was not built for',
    `RuntimeError: HIP error: invalid device function\nHIP kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.\nFor debugging consider passing AMD_SERIALIZE_KERNEL=3`,
    'gpu_unsupported',
  ),
  row(
    'memory errors of the GPU',
    `torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered\n${CUDA_HINT}`,
    ['gpu_lost', 'gpu_broken', 'gpu_kernel'],
  ),
  row(
    'an index out of range on the GPU',
    `RuntimeError: CUDA error: device-side assert triggered\n${CUDA_HINT}`,
    'gpu_kernel',
    {
      before: `${TRAINING}\n../aten/src/ATen/native/cuda/Indexing.cu:1308: indexSelectLargeIndex: block: [69,0,0], thread: [96,0,0] Assertion \`srcIndex < srcSelectDimSize\` failed.\n`,
    },
  ),
  row('attention that this GPU has not', 'RuntimeError: FlashAttention only supports Ampere GPUs or newer.', [
    'gpu_unsupported',
    'attention_missing',
  ]),
  row(
    'xformers without a fitting kernel',
    "NotImplementedError: No operator found for `memory_efficient_attention_forward` with inputs:\n     query       : shape=(2, 4096, 8, 40) (torch.float32)\n     key         : shape=(2, 4096, 8, 40) (torch.float32)\n`flshattF` is not supported because:\n    xFormers wasn't build with CUDA support\n    dtype=torch.float32 (supported: {torch.bfloat16, torch.float16})",
    ['attention_missing', 'package_version', null],
  ),
  row(
    'xformers without a GPU',
    "ValueError: torch.cuda.is_available() should be True but is False. xformers' memory efficient attention is only available for GPU ",
    'gpu_missing',
  ),
  row(
    'half precision without a GPU',
    "ValueError: fp16 mixed precision requires a GPU (not 'cpu').",
    'gpu_missing',
    start,
  ),
  row(
    'bf16 on a GPU that has none',
    'ValueError: bf16 mixed precision requires PyTorch >= 1.10 and a supported device.',
    ['gpu_unsupported', 'gpu_missing'],
    start,
  ),
  // Files, data and settings.
  row(
    'a zip that is cut',
    'RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory',
    'cut_file',
    { frames: LOADING, ...start },
  ),
  row(
    'weights that are cut',
    'safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered',
    'cut_file',
    { frames: LOADING, ...start },
  ),
  row(
    'weights that are cut, one release on',
    'safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer',
    'cut_file',
    { frames: LOADING, ...start },
  ),
  row('an empty pickle', 'EOFError: Ran out of input', 'cut_file', { frames: RESUMING, ...start }),
  row(
    'a state of another optimizer',
    "ValueError: loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
    ['other_optimizer', 'size_mismatch'],
    { frames: RESUMING, ...start },
  ),
  row(
    'a state without its optimizer',
    "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/outputs/cat/cat-000002-state/optimizer.bin'",
    ['state_missing', 'file_missing', 'cut_file'],
    { frames: RESUMING, ...start },
  ),
  row(
    'a model of another kind',
    'RuntimeError: Error(s) in loading state_dict for AutoencoderKL:\n\tsize mismatch for encoder.conv_out.weight: copying a param with shape torch.Size([32, 512, 3, 3]) from checkpoint, the shape in current model is torch.Size([8, 512, 3, 3]).',
    ['wrong_model', 'size_mismatch'],
    { frames: LOADING, ...start },
  ),
  row('tensors of two widths', 'RuntimeError: mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)', [
    'wrong_model',
    'size_mismatch',
    null,
  ]),
  row(
    'latents that are no numbers',
    'RuntimeError: NaN detected in latents: /workspace/datasets/cat/01.png',
    ['nan', 'picture_broken'],
    { frames: CACHING, says: /01\.png/ },
  ),
  row(
    'nothing to train in the network',
    'ValueError: optimizer got an empty parameter list',
    ['no_network', 'nothing_left', 'settings_conflict', null],
    start,
  ),
  row(
    'a picture that is none',
    "PIL.UnidentifiedImageError: cannot identify image file '/workspace/datasets/cat/03.png'",
    'picture_broken',
    { frames: CACHING, says: /03\.png/ },
  ),
  row(
    'a picture that is far too large',
    'PIL.Image.DecompressionBombError: Image size (400000000 pixels) exceeds limit of 178956970 pixels, could be decompression bomb DOS attack.',
    'picture_too_large',
    { frames: CACHING },
  ),
  raw(
    'a picture in a loader worker',
    `${TRAINING}\n${inWorker('OSError: broken data stream when reading image file')}${launcher()}`,
    'picture_broken',
  ),
  row(
    'a dataset file with a slip',
    "voluptuous.error.MultipleInvalid: extra keys not allowed @ data['datasets'][0]['resoluton']",
    'dataset_config',
    { before: '', says: /resoluton/ },
  ),
  row(
    'text encoder and cache exclude each other',
    'AssertionError: network for Text Encoder cannot be trained with caching Text Encoder outputs / Text Encoderの出力をキャッシュしながらText Encoderのネットワークを学習することはできません',
    'settings_conflict',
    { ...start, frames: [['/pod/sd-scripts/sdxl_train_network.py', 60, 'assert_extra_args', 'assert (']] },
  ),
  raw(
    'a flag with a value that it has not',
    "usage: train_network.py [-h] [--v2]\ntrain_network.py: error: argument --mixed_precision: invalid choice: 'bfloat16' (choose from 'no', 'fp16', 'bf16')\n",
    'refused_flags',
    { exit: ended(2) },
  ),
  row(
    'wandb without a key',
    'wandb.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])',
    'tracker_login',
    start,
  ),
  row('half gradients', 'ValueError: Attempting to unscale FP16 gradients.', 'fp16_gradients'),
  // Several processes.
  row(
    'the port is taken',
    'torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use',
    'port_in_use',
    { before: '' },
  ),
  row(
    'a spawned process was killed',
    'torch.multiprocessing.spawn.ProcessExitedException: process 0 terminated with signal SIGKILL',
    ['ram', 'killed'],
  ),
  raw(
    'the watchdog of NCCL',
    `${TRAINING}\n[rank1]:[E1130 05:20:10.112233 ProcessGroupNCCL.cpp:632] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4123, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600077 milliseconds before timing out.\n[rank1]:[E1130 05:20:10.3 ProcessGroupNCCL.cpp:2268] [PG ID 0 PG GUID 0(default_pg) Rank 1] failure detected by watchdog at work sequence id: 4123\nterminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [PG ID 0 PG GUID 0(default_pg) Rank 1] Process group watchdog thread terminated with exception: [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4123, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600077 milliseconds before timing out.\n${elastic([{ rank: 1, exitcode: -6 }])}`,
    'gpu_timeout',
  ),
  // Crashes.
  raw(
    'faulthandler',
    `${TRAINING}\nFatal Python error: Segmentation fault\n\nCurrent thread 0x00007f1e8a7fc640 (most recent call first):\n  File "/pod/venv/lib/python3.10/site-packages/torch/autograd/graph.py", line 829 in _engine_run_backward\n`,
    'crash',
    { exit: endedBy('SIGSEGV') },
  ),
  raw('a heap that is torn', `${TRAINING}\nmalloc(): corrupted top size\n`, 'crash', { exit: endedBy('SIGABRT') }),
  raw(
    'a shell that says so',
    `${TRAINING}\n/workspace/train.sh: line 12:  4411 Killed                  python train_network.py --config_file x.toml\n`,
    ['ram', 'killed'],
    { exit: ended(137) },
  ),
  raw(
    'a shell on a bus error',
    `${TRAINING}\n/workspace/train.sh: line 12:  4411 Bus error               (core dumped) python train_network.py\n`,
    ['shm', 'crash'],
    { exit: ended(135) },
  ),
  // What looks like a cause and is none.
  row('a word of memory in a key', "KeyError: 'out of memory'", null),
  row(
    'a prompt that speaks of the disk',
    "ValueError: could not parse prompt: 'no space left on device, a poster'",
    null,
  ),
  row('an OOM that was caught, and another end', 'IndexError: list index out of range', null, {
    before: `${TRAINING}\nWARNING  CUDA out of memory, retrying with half the batch\n`,
  }),
  raw(
    'a thread that failed and a training killed later',
    `${TRAINING}\nException in thread Thread-5 (_run):\n${traceback('OSError: [Errno 28] No space left on device', [['/pod/venv/lib/python3.10/site-packages/tensorboard/summary/writer/event_file_writer.py', 233, '_run', 'self._record_writer.write(data)']])}steps:  40%|████      | 640/1600 [10:20<15:41,  1.03it/s, avr_loss=0.112]\nsteps:  41%|████      | 656/1600 [10:36<15:25,  1.03it/s, avr_loss=0.112]`,
    ['killed', 'ram'],
    { exit: endedBy('SIGKILL', 0) },
  ),
  row(
    'tensors on two devices',
    'RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!',
    null,
  ),
  row('an assertion without words', 'AssertionError', null),
  row('kinds of numbers that differ', 'RuntimeError: expected scalar type Half but found Float', [
    null,
    'settings_conflict',
  ]),
  row('a kernel that the processor has not', 'RuntimeError: "LayerNormKernelImpl" not implemented for \'Half\'', [
    null,
    'gpu_missing',
  ]),
  row('a loader that is slow', 'RuntimeError: DataLoader timed out after 60 seconds', null),
  row(
    'a connection of the tracker only',
    `RuntimeError: The size of tensor a (64) must match the size of tensor b (96) at non-singleton dimension 3`,
    [null, 'size_mismatch'],
    { before: `${TRAINING}\nwandb: Network error (ConnectionError), entering retry loop.\n` },
  ),
  row(
    'a package of the code raised while its own memory error was handled',
    `AttributeError: 'Trainer' object has no attribute 'cleanup'`,
    ['gpu_memory', null],
    {
      before: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 23.64 GiB of which 10.81 MiB is free.')}${DURING}`,
    },
  ),
  row(
    'a file of the user with a word in its name',
    "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/datasets/cat/CUDA out of memory.txt'",
    ['file_missing'],
    {},
  ),
  row('a gzip that is none', "gzip.BadGzipFile: Not a gzipped file (b'<!')", ['wrong_file', null], {
    frames: LOADING,
    ...start,
  }),
  row(
    'JSON that is a page',
    'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
    [null, 'config_broken', 'cut_file', 'wrong_file'],
    { frames: LOADING, ...start },
  ),
];
