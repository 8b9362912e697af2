import { type EndedSession, flagIn, type KnownCause } from './cause.js';

const OUT_OF_MEMORY =
  /OutOfMemoryError|\b(?:CUDA|HIP|XPU|NPU|MPS backend|MPS) out of memory(?=[.)"']|\s*(?:\(|$))|\b(?:CUDA|HIP|NPU) error: out of memory|\b[A-Z]{3,12}_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|rocblas_status_memory_error|miopenStatusAllocFailed|(?:UR_RESULT|PI)_ERROR_OUT_OF_(?:DEVICE_)?(?:MEMORY|RESOURCES)|^(?:CUDA )?[Ee]rror out of memory at line \d+ in file|Triton Error \[\w+\]: out of memory|Allocation on device \d|cudaMalloc failed: out of memory|CUDA driver error: out of memory|not enough GPU video memory|Failed to CUDA calloc async/m;

/** What the GPU and its driver say. Words of NVIDIA's, AMD's, Intel's and Apple's libraries, of old releases and of new. */
export const GPU_CAUSES: readonly KnownCause[] = [
  {
    id: 'gpu_memory',
    pattern:
      /^(?:CUDA )?error:? out of memory at line \d+ in file|^(?:[\w.]{0,40}Error: )?(?:CUDA|HIP|XPU|MPS backend) out of memory|^(?:torch\.)?(?:cuda\.)?OutOfMemoryError\b/i,
    said: true,
    unless: /DefaultCPUAllocator|NCCL/,
    words: (clue) => `The GPU ran out of memory. ${lessMemory(clue.session)}`,
  },
  {
    id: 'gpu_memory',
    pattern: OUT_OF_MEMORY,
    unless: /DefaultCPUAllocator|NCCL/,
    words: (clue) => `The GPU ran out of memory. ${lessMemory(clue.session)}`,
  },
  {
    id: 'gpu_timeout',
    pattern:
      /Watchdog caught collective operation timeout|NCCL timeout|collective operation timeout|ran for \d+ milliseconds before timing out|Timed out waiting \d+ms for (?:recv|send)/,
    words: (clue) =>
      `One GPU waited for another${waited(clue.text)}, until the training gave up. Most often one process was still caching pictures or saving while the other waited. Cache the latents before the training, or train on one GPU; then resume.`,
  },
  {
    id: 'gpu_memory',
    pattern:
      /NCCL error.{0,400}(?:out of memory|Failed to CUDA (?:m|c)alloc)|ncclUnhandledCudaError.{0,400}out of memory/s,
    words: (clue) => `A GPU ran out of memory while GPUs exchanged data. ${lessMemory(clue.session)}`,
  },
  {
    id: 'gpu_links',
    pattern:
      /NCCL error|ncclSystemError|ncclInternalError|ncclRemoteError|ncclUnhandledCudaError|NCCL WARN|Some NCCL operations have failed|support faster communication broadband via P2P/,
    unless: /creating shared memory segment/,
    words:
      'The GPUs could not talk to each other (NCCL). Train on one GPU, or set NCCL_P2P_DISABLE=1 and NCCL_IB_DISABLE=1 in the environment of Trackside; then resume.',
  },
  {
    id: 'gpu_driver',
    pattern:
      /CUDA driver version is insufficient|NVIDIA driver on your system is too old|forward compatibility was attempted|system has unsupported display driver|Error 80[34]: |CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|Driver\/library version mismatch|CUDA_ERROR_UNSUPPORTED_PTX_VERSION|unsupported toolchain/,
    words:
      "The GPU's driver is too old for this PyTorch. Take a pod with a newer driver (CUDA version filter of the provider), or install a PyTorch made for the driver's CUDA version.",
    repeats: true,
  },
  {
    id: 'gpu_unsupported',
    pattern:
      /no kernel image is available|is not compatible with the current PyTorch installation|FlashAttention only supports|requires compute capability|[Dd]oesn't support bf(?:loat)?16|bf16 mixed precision requires|setup doesn't support bf16|not supported on (?:your|this) (?:GPU|device|architecture)|is only supported on CUDA devices with compute capability|hipErrorNoBinaryForGpu|HIP error: invalid device function|unsupported gpu architecture|ptxas fatal {1,6}: Value 'sm_\w+' is not defined|CUBLAS_STATUS_ARCH_MISMATCH|nvrtc: error: invalid value for --gpu-architecture/i,
    words:
      'This GPU cannot run what was asked of it: the PyTorch that is installed has no code for it, or the precision (bf16, fp8) or the attention needs a newer GPU. Install a PyTorch for this GPU, or choose fp16 and sdpa.',
    repeats: true,
  },
  {
    id: 'gpu_lost',
    pattern:
      /fallen off the bus|GPU is lost|Unable to determine the device handle|uncorrectable (?:ECC|NVLink)|CUDA_ERROR_ECC_UNCORRECTABLE|CUDA error: device (?:not ready|is lost)|hardware error|the launch timed out and was terminated/i,
    words:
      'The GPU itself failed. Nothing in the settings helps: stop this pod, take another one, and resume there. Tell the provider.',
  },
  {
    id: 'gpu_busy',
    pattern: /CUDA-capable devices? (?:are|is) busy or unavailable|CUDA_ERROR_DEVICE_UNAVAILABLE/,
    words:
      'Another program is using the GPU exclusively. Check with nvidia-smi what is running on it, end that, then start again. If nothing is running, restart the pod.',
  },
  {
    id: 'gpu_missing',
    pattern: /invalid device ordinal/,
    words:
      'The trainer asked for a GPU with a number that this machine, or this session, does not have. List the GPUs with nvidia-smi, choose among them in the settings, and check CUDA_VISIBLE_DEVICES and the number of processes; then start again.',
    repeats: true,
  },
  {
    id: 'gpu_missing',
    pattern:
      /torch\.cuda\.is_available\(\) should be True but is False|fp16 mixed precision requires a GPU|No (?:CUDA|HIP) GPUs are available|Found no NVIDIA driver|not compiled with CUDA enabled|no CUDA-capable device|Unexpected error from cudaGetDeviceCount|CUDA unknown error|Attempting to deserialize object on (?:a )?CUDA device|libcuda\.so\.1: cannot open shared object|CUDA error: initialization error|Error 999|Failed to initialize NVML/,
    words:
      'The trainer found no usable GPU. Check whether nvidia-smi on the pod shows one, and whether PyTorch was built with CUDA; a pod that lost its GPU has to be restarted.',
    repeats: true,
  },
  {
    id: 'gpu_kernel',
    pattern:
      /illegal memory access|device-side assert triggered|misaligned address|unspecified launch failure|illegal instruction was encountered|CUBLAS_STATUS_EXECUTION_FAILED|CUDNN_STATUS_EXECUTION_FAILED|an illegal instruction|Memory access fault by GPU node|HSA_STATUS_ERROR/,
    words:
      'A computation on the GPU failed. It may not happen again: resume. If it does, switch off torch.compile, xformers or an 8-bit optimizer, and check whether the GPU is overclocked or faulty.',
  },
  {
    id: 'kernel_too_large',
    pattern:
      /OutOfResources|out of resource: (?:shared memory|threads|registers)|too many resources requested for launch/,
    words:
      'A compiled kernel (Triton) needs more than this GPU has on its chip. Switch torch.compile off, or choose another optimizer or attention; then resume.',
    repeats: true,
  },
  {
    id: 'gpu_library',
    pattern: /cuDNN version incompatibility|CUBLAS_STATUS_NOT_SUPPORTED|CUDNN_STATUS_(?:VERSION|SUBLIBRARY)\w*MISMATCH/,
    words:
      'PyTorch found a cuDNN or cuBLAS of the system instead of its own, or this GPU cannot compute in the precision that was chosen. Unset LD_LIBRARY_PATH before Trackside is started, or choose fp16 instead of bf16; then start again.',
    repeats: true,
  },
  {
    id: 'gpu_library',
    pattern:
      /CUDNN_STATUS_NOT_INITIALIZED|CUBLAS_STATUS_NOT_INITIALIZED|Unable to find a valid cuDNN algorithm|CUDNN_STATUS_INTERNAL_ERROR|GET was unable to find an engine/,
    words: (clue) =>
      `cuDNN or cuBLAS could not start, most often because the GPU's memory is full. ${lessMemory(clue.session)}`,
  },
];

/** ` for 30 minutes`, where the text tells the limit in milliseconds. */
function waited(text: string): string {
  const limit = Number(
    /Timeout\(ms\)=(\d{1,12})|Timed out waiting (\d{1,12})ms/.exec(text)?.slice(1).find(Boolean) ?? 0,
  );
  const minutes = Math.round(limit / 60_000);
  return minutes > 0 ? ` for ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}` : '';
}

/** What uses less memory on the GPU, beginning with what is not yet done in this session. */
function lessMemory({ argv }: EndedSession): string {
  const todo: string[] = ['End other programs on it'];
  const batch = Number(flagIn(argv, 'train_batch_size') ?? 1);
  if (argv.length > 0 && flagIn(argv, 'gradient_checkpointing') === null) todo.push('switch gradient checkpointing on');
  if (batch > 1) todo.push(`lower the batch size (it was ${batch})`);
  todo.push(
    'choose the preset of a smaller GPU (it swaps blocks to RAM)',
    'lower the resolution, the network dimension or the batch size'.replace(batch > 1 ? ' or the batch size' : '', ''),
  );
  return `${todo.slice(0, -1).join(', ')}, or ${todo.at(-1)}; then resume.`;
}
