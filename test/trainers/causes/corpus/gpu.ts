import {
  bars,
  box,
  boxedLauncher,
  CACHING,
  CAUSED,
  CUDA_HINT,
  DURING,
  elastic,
  endedBy,
  IMPORTING,
  interleaved,
  launched,
  launcher,
  prefixed,
  RESUMING,
  type Row,
  TRAINING,
  traceback,
} from '../logs.js';

const GPU_FULL = /GPU.*memory/i;
const NOT_A_FIX = /pip install|disk|\/dev\/shm|token/i;

/** The GPU: its memory, its driver, its kernels, several of them. */
export const gpu: Row[] = [
  ...[
    [
      'torch 1.12',
      'RuntimeError: CUDA out of memory. Tried to allocate 146.00 MiB (GPU 0; 8.00 GiB total capacity; 7.21 GiB already allocated; 0 bytes free; 7.32 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting max_split_size_mb to avoid fragmentation.  See documentation for Memory Management and PYTORCH_CUDA_ALLOC_CONF',
    ],
    [
      'torch 2.0',
      'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 23.69 GiB total capacity; 22.41 GiB already allocated; 4.69 MiB free; 22.90 GiB reserved in total by PyTorch)',
    ],
    [
      'torch 2.6',
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB of which 4.69 MiB is free. Process 1234 has 23.60 GiB memory in use.',
    ],
    [
      'an allocator that names the device',
      'torch.OutOfMemoryError: Allocation on device 0 would exceed allowed memory. (out of memory)\nCurrently allocated     : 22.41 GiB\nRequested               : 512.00 MiB',
    ],
    ['a driver that says it', `RuntimeError: CUDA error: out of memory\n${CUDA_HINT}`],
    [
      'AcceleratorError',
      `torch.AcceleratorError: CUDA error: out of memory\nSearch for \`cudaErrorMemoryAllocation' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more information.\n${CUDA_HINT}`,
    ],
    [
      'ROCm',
      'torch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.98 GiB of which 0 bytes is free.',
    ],
    [
      'ROCm, old',
      'RuntimeError: HIP out of memory. Tried to allocate 20.00 MiB (GPU 0; 15.98 GiB total capacity; 15.70 GiB already allocated)',
    ],
    [
      'Apple',
      'RuntimeError: MPS backend out of memory (MPS allocated: 5.50 GB, other allocations: 14.76 GB, max allowed: 20.40 GB). Tried to allocate 147.24 MB on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit for memory allocations (may cause system failure).',
    ],
    [
      'Intel',
      'torch.OutOfMemoryError: XPU out of memory. Tried to allocate 4.66 GiB. GPU 0 has a total capacity of 5.65 GiB of which 5.65 GiB is free.',
    ],
    [
      'Intel, Level Zero',
      'RuntimeError: level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)',
    ],
    [
      'Intel, Unified Runtime',
      'RuntimeError: Native API failed. Native API returns: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)',
    ],
    [
      'Intel, PI',
      'RuntimeError: Native API failed. Native API returns: -5 (PI_ERROR_OUT_OF_RESOURCES) -5 (PI_ERROR_OUT_OF_RESOURCES)',
    ],
    ['cuBLAS', 'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`'],
    ['cuDNN', 'RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED'],
    [
      'NCCL',
      "torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, unhandled cuda error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5\nncclUnhandledCudaError: Call to CUDA function failed.\nLast error:\nCuda failure 2 'out of memory'",
    ],
    ['triton', 'RuntimeError: Triton Error [CUDA]: out of memory'],
  ].map(
    ([name, exception]): Row => ({
      name: `GPU memory: ${name}`,
      log: launched(exception ?? ''),
      code: 'gpu_memory',
      says: GPU_FULL,
      not: NOT_A_FIX,
    }),
  ),
  {
    name: 'GPU memory, direct python',
    log: `${TRAINING}${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.', undefined, 13)}`,
    code: 'gpu_memory',
    says: GPU_FULL,
  },
  {
    name: 'GPU memory in bitsandbytes, without a traceback',
    log: `${TRAINING}\nError out of memory at line 380 in file /src/csrc/pythonInterface.c\n${launcher()}`,
    code: 'gpu_memory',
    says: GPU_FULL,
  },
  {
    name: 'GPU memory in bitsandbytes, newer words',
    log: `${TRAINING}\nCUDA error out of memory at line 91 in file /src/csrc/ops.cu\n${launcher()}`,
    code: 'gpu_memory',
    says: GPU_FULL,
  },
  {
    name: 'GPU memory, after the bar',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', { before: `${TRAINING}${bars(13, 2000)}` }),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, in a box',
    log: `${TRAINING}\n${box('OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB (GPU 0; 8.00 GiB total capacity)')}${boxedLauncher()}`,
    code: 'gpu_memory',
    says: GPU_FULL,
  },
  {
    name: 'GPU memory, in a box whose exception wraps',
    log: `${TRAINING}\n${box('OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB (GPU 0; \n8.00 GiB total capacity; 7.21 GiB already allocated; 0 bytes free; 7.32 GiB \nreserved in total by PyTorch)')}${boxedLauncher()}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory while caching latents',
    log: launched('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 4.00 GiB.', { frames: CACHING }),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory while resuming',
    log: launched('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 4.00 GiB.', { frames: RESUMING }),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, four ranks without a prefix',
    log: `${TRAINING}\n${interleaved(...[0, 1, 2, 3].map((rank) => traceback(`torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU ${rank} has a total capacity of 23.69 GiB.`)))}\n${elastic([0, 1, 2, 3].map((rank) => ({ rank, exitcode: 1 })))}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, ranks with a prefix',
    log: `${TRAINING}\n${prefixed(1, traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'))}\n${elastic([{ rank: 1, exitcode: 1 }])}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory on rank 0, the others wait in NCCL',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}[rank1]:[E203 10:21:12.000 ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=45, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600029 milliseconds before timing out.\n${elastic(
      [
        { rank: 0, exitcode: 1 },
        { rank: 1, exitcode: -6 },
      ],
    )}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory raised from another',
    log: `${TRAINING}\n${traceback('RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB.')}${CAUSED}${traceback('RuntimeError: training step failed at 12')}${launcher()}`,
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory, then a failure while logging ends',
    log: `${TRAINING}\n${traceback('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')}${DURING}${traceback('OSError: [Errno 5] Input/output error')}${launcher()}`,
    code: ['gpu_memory', 'disk_error'],
  },
  {
    name: 'GPU memory with a note (Python 3.11)',
    log: launched(
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\nFrom call to self.down_blocks[2] in unet forward',
      { python: 11 },
    ),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory while compiling',
    log: launched(
      'torch._dynamo.exc.BackendCompilerFailed: backend=\'inductor\' raised:\nOutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n\nSet TORCH_LOGS="+dynamo" and TORCHDYNAMO_VERBOSE=1 for more information',
    ),
    code: 'gpu_memory',
  },
  {
    name: 'GPU memory with autocast warnings before',
    log: launched('torch.OutOfMemoryError: CUDA out of memory.', {
      before: `${TRAINING}\n/pod/venv/lib/python3.10/site-packages/torch/utils/checkpoint.py:295: FutureWarning: \`torch.cpu.amp.autocast(args...)\` is deprecated.\n  with torch.enable_grad(), device_autocast_ctx\n`,
    }),
    code: 'gpu_memory',
  },

  {
    name: 'driver too old',
    log: launched(
      'RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx Alternatively, go to: https://pytorch.org to install a PyTorch version that has been compiled with your version of the CUDA driver.',
    ),
    code: 'gpu_driver',
    again: 'repeats',
  },
  {
    name: 'driver insufficient',
    log: launched(
      `RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version\n${CUDA_HINT}`,
    ),
    code: 'gpu_driver',
  },
  {
    name: 'forward compatibility',
    log: launched(
      'RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 804: forward compatibility was attempted on non supported HW',
    ),
    code: 'gpu_driver',
  },
  {
    name: 'PTX of a newer toolchain',
    log: launched(
      `RuntimeError: CUDA error: the provided PTX was compiled with an unsupported toolchain.\n${CUDA_HINT}`,
    ),
    code: ['gpu_driver', 'gpu_unsupported'],
  },
  {
    name: 'no NVIDIA driver',
    log: launched(
      'RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx',
      { frames: IMPORTING },
    ),
    code: ['gpu_missing', 'gpu_driver'],
  },
  {
    name: 'torch without CUDA',
    log: launched('AssertionError: Torch not compiled with CUDA enabled'),
    code: ['gpu_missing', 'gpu_driver'],
    says: /torch/i,
  },
  { name: 'no GPU visible', log: launched('RuntimeError: No CUDA GPUs are available'), code: 'gpu_missing' },
  {
    name: 'no CUDA-capable device',
    log: launched(`RuntimeError: CUDA error: no CUDA-capable device is detected\n${CUDA_HINT}`),
    code: 'gpu_missing',
  },
  { name: 'no HIP GPU', log: launched('RuntimeError: No HIP GPUs are available'), code: 'gpu_missing' },
  {
    name: 'GPU 3 of a machine with one',
    log: launched(`RuntimeError: CUDA error: invalid device ordinal\n${CUDA_HINT}`),
    code: ['gpu_missing', 'gpu_number'],
    says: /GPU/,
  },
  {
    name: 'all devices busy',
    log: launched(`RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable\n${CUDA_HINT}`),
    code: ['gpu_busy', 'gpu_lost', 'gpu_missing'],
    not: /not compiled|pip/,
  },
  {
    name: 'bf16 asked of a GPU without it',
    log: launched('ValueError: bf16 mixed precision requires PyTorch >= 1.10 and a supported device.'),
    code: ['no_bf16', 'gpu_unsupported'],
    says: /bf16/,
  },
  {
    name: 'fp16 asked of a CPU',
    log: launched("ValueError: fp16 mixed precision requires a GPU (not 'cpu')."),
    code: 'gpu_missing',
  },

  {
    name: 'new GPU, old torch',
    log: launched(`RuntimeError: CUDA error: no kernel image is available for execution on the device\n${CUDA_HINT}`),
    code: 'gpu_unsupported',
  },
  {
    name: 'new GPU, after a warning',
    log: launched(`RuntimeError: CUDA error: no kernel image is available for execution on the device\n${CUDA_HINT}`, {
      before: `${TRAINING}\n/pod/venv/lib/python3.10/site-packages/torch/cuda/__init__.py:235: UserWarning: \nNVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.\n`,
    }),
    code: 'gpu_unsupported',
  },
  {
    name: 'ROCm without a kernel',
    log: launched(
      'RuntimeError: HIP error: invalid device function\nHIP kernel errors might be asynchronously reported at some other API call',
    ),
    code: 'gpu_unsupported',
  },
  {
    name: 'ptxas does not know the GPU',
    log: launched(
      "RuntimeError: Internal Triton PTX codegen error\n`ptxas` stderr:\nptxas fatal   : Value 'sm_120' is not defined for option 'gpu-name'",
    ),
    code: ['gpu_unsupported', 'compile_failed'],
  },
  {
    name: 'no CUBLAS for this GPU',
    log: launched(
      'RuntimeError: CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmEx( handle, opa, opb, m, n, k)`',
    ),
    code: ['gpu_kernel', 'gpu_library', 'gpu_unsupported'],
  },

  {
    name: 'illegal access',
    log: launched(`RuntimeError: CUDA error: an illegal memory access was encountered\n${CUDA_HINT}`),
    code: 'gpu_kernel',
    again: null,
  },
  {
    name: 'illegal access, native end',
    log: `${TRAINING}\nterminate called after throwing an instance of 'c10::Error'\n  what():  CUDA error: an illegal memory access was encountered\n${CUDA_HINT}Exception raised from c10_cuda_check_implementation at ../c10/cuda/CUDAException.cpp:44 (most recent call first):\nframe #0: c10::Error::Error(c10::SourceLocation, std::string) + 0x57 (0x7f0 in libc10.so)\n${launcher(-6)}`,
    code: 'gpu_kernel',
  },
  {
    name: 'misaligned address',
    log: launched(`RuntimeError: CUDA error: misaligned address\n${CUDA_HINT}`),
    code: 'gpu_kernel',
  },
  {
    name: 'launch failure',
    log: launched(`RuntimeError: CUDA error: unspecified launch failure\n${CUDA_HINT}`),
    code: 'gpu_kernel',
  },
  {
    name: 'device-side assert',
    log: launched(`RuntimeError: CUDA error: device-side assert triggered\n${CUDA_HINT}`, {
      before: `${TRAINING}\n../aten/src/ATen/native/cuda/Indexing.cu:1146: indexSelectLargeIndex: block: [0,0,0], thread: [0,0,0] Assertion \`srcIndex < srcSelectDimSize\` failed.\n`,
    }),
    code: 'gpu_kernel',
  },
  {
    name: 'ECC error',
    log: launched(`RuntimeError: CUDA error: uncorrectable ECC error encountered\n${CUDA_HINT}`),
    code: ['gpu_lost', 'gpu_hardware'],
    says: /GPU|pod/,
  },
  { name: 'GPU is lost', log: launched('RuntimeError: CUDA error: GPU is lost'), code: 'gpu_lost' },
  {
    name: 'HIP memory fault',
    log: `${TRAINING}\nMemory access fault by GPU node-1 (Agent handle: 0x55d) on address 0x7f1c2c000000. Reason: Page not present or supervisor privilege.\n${launcher(-6)}`,
    code: 'gpu_kernel',
  },
  {
    name: 'cuDNN cannot run it',
    log: launched('RuntimeError: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED'),
    code: ['gpu_library', 'gpu_kernel'],
  },
  {
    name: 'cuDNN finds no engine',
    log: launched('RuntimeError: GET was unable to find an engine to execute this computation'),
    code: ['gpu_library', 'gpu_kernel', 'gpu_memory'],
  },
  {
    name: 'cuDNN not initialized',
    log: launched('RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED'),
    code: ['gpu_library', 'gpu_memory'],
  },
  {
    name: 'cuDNN versions differ',
    log: launched(
      'RuntimeError: cuDNN version incompatibility: PyTorch was compiled  against (9, 1, 0) but found runtime version (8, 9, 7). PyTorch already comes bundled with cuDNN.',
    ),
    code: 'gpu_library',
  },
  {
    name: 'cuBLAS cannot run it',
    log: launched(
      'RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa, opb, m, n, k)`',
    ),
    code: ['gpu_kernel', 'gpu_library'],
  },
  {
    name: 'triton: shared memory of the GPU',
    log: launched(
      'triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 147456, Hardware limit: 101376. Reducing block sizes or `num_stages` may help.',
    ),
    code: 'kernel_too_large',
    not: /\/dev\/shm|loader workers/,
  },
  {
    name: 'triton: shared memory, torch._inductor words',
    log: launched(
      'torch._inductor.exc.InductorError: RuntimeError: No valid triton configs. OutOfResources: out of resource: shared memory, Required: 147456, Hardware limit: 101376. Reducing block sizes or `num_stages` may help.',
    ),
    code: 'kernel_too_large',
    not: /\/dev\/shm/,
  },

  {
    name: 'NCCL watchdog',
    log: `${TRAINING}\n[rank1]:[E203 10:11:12.000 ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=45, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600029 milliseconds before timing out.\nterminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [PG ID 0 PG GUID 0(default_pg) Rank 1] Process group watchdog thread terminated with exception: [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=45, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600029 milliseconds before timing out.\n${elastic([{ rank: 1, exitcode: -6 }])}`,
    code: 'gpu_timeout',
  },
  {
    name: 'NCCL watchdog, torch 2.1, lower words',
    log: `${TRAINING}\nterminate called after throwing an instance of 'std::runtime_error'\n  what():  [Rank 6] NCCL watchdog thread terminated with exception: [Rank 6] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=880, OpType=BROADCAST, Timeout(ms)=1800000) ran for 1800902 milliseconds before timing out.\n${elastic([{ rank: 6, exitcode: -6 }])}`,
    code: 'gpu_timeout',
    says: /30 min|minutes/,
  },
  {
    name: 'gloo timeout',
    log: `${TRAINING}\n${traceback('RuntimeError: [../third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv operation to complete')}${elastic()}`,
    code: 'gpu_timeout',
  },
  {
    name: 'NCCL remote closed',
    log: `${TRAINING}\n${traceback('torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error, NCCL version 2.20.5\nncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.')}${elastic()}`,
    code: 'gpu_links',
  },
  {
    name: 'NCCL system error',
    log: `${TRAINING}\n${traceback('torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5\nncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.\nLast error:\nError while creating shared memory segment /dev/shm/nccl-Abc (size 9637888)')}${elastic()}`,
    code: 'shm',
  },
  {
    name: 'peer access between GPUs of the 4000 series',
    log: launched(
      'NotImplementedError: Using RTX 4000 series doesn\'t support faster communication broadband via P2P or IB. Please set `NCCL_P2P_DISABLE="1"` and `NCCL_IB_DISABLE="1" or use `accelerate launch` which will do this automatically.',
    ),
    code: ['gpu_links', 'gpu_p2p'],
    says: /NCCL_P2P_DISABLE/,
  },
  {
    name: 'a rank killed, others see closed connections',
    log: `${TRAINING}\n${elastic([{ rank: 2, exitcode: -9 }])}`,
    code: ['killed', 'ram'],
    says: /RAM|memory/,
  },
  {
    name: 'port taken',
    log: `${TRAINING}\n${traceback('torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use')}`,
    code: 'port_in_use',
  },
  {
    name: 'port taken, old words',
    log: `${TRAINING}\n${traceback('RuntimeError: The server socket has failed to listen on any local network address. The server socket has failed to bind to [::]:29500 (errno: 98 - Address already in use).')}`,
    code: 'port_in_use',
  },
  {
    name: 'port taken, accelerate',
    log: traceback(
      'ConnectionError: Tried to launch distributed communication on port `29500`, but another process is utilizing it. Please specify a different port (such as using the `--main_process_port` flag or specifying a different `main_process_port` in your config file) and rerun your script. To automatically use the next open port (on a single node), you can set this to `0`.',
    ),
    code: 'port_in_use',
    not: /network|hub|internet/i,
  },
  { name: 'SIGABRT without a word', log: `${TRAINING}\n${launcher(-6)}`, code: 'crash' },
  { name: 'direct SIGSEGV', log: TRAINING, exit: endedBy('SIGSEGV'), code: 'crash' },
];
