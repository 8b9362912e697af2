import {
  bars,
  CACHING,
  CAUSED,
  DURING,
  elastic,
  ended,
  endedBy,
  failed,
  ignored,
  inWorker,
  LOADING,
  launched,
  launcher,
  PREPARED,
  type Row,
  SAVING,
  TRAINING,
  traceback,
} from '../logs.js';

const killed = (how: string) => launched(`RuntimeError: DataLoader worker (pid 4021) is killed by signal: ${how}. `);

/** Memory, disk, processes, people. */
export const machine: Row[] = [
  {
    name: 'RAM, by the kernel',
    log: `${TRAINING}\n${launcher(-9)}`,
    exit: { ...failed, oomKilled: true, oomKills: 1 },
    code: 'ram',
  },
  {
    name: 'SIGKILL behind the launcher',
    log: `${TRAINING}\n${launcher(-9)}`,
    code: ['killed', 'ram'],
    says: /memory \(RAM\)|RAM/,
  },
  {
    name: 'SIGKILL of the process itself',
    log: TRAINING,
    exit: endedBy('SIGKILL'),
    code: ['killed', 'ram'],
    says: /RAM/,
  },
  {
    name: 'SIGKILL, counter did not move',
    log: TRAINING,
    exit: endedBy('SIGKILL', 0),
    code: 'killed',
    not: /more memory/,
  },
  {
    name: 'SIGKILL behind the launcher, counter did not move',
    log: `${TRAINING}\n${launcher(-9)}`,
    exit: { ...failed, oomKills: 0 },
    code: 'killed',
    not: /more memory/,
  },
  {
    name: 'a shell says Killed, 137',
    log: `${TRAINING}\n./train.sh: line 12:  4021 Killed                  python train_network.py --config_file cat.toml\n`,
    exit: ended(137),
    code: ['killed', 'ram'],
    says: /RAM/,
  },
  { name: 'exit 137 without a word', log: TRAINING, exit: ended(137), code: ['killed', 'ram'] },
  { name: 'exit 139', log: `${TRAINING}\nSegmentation fault (core dumped)\n`, exit: ended(139), code: 'crash' },
  { name: 'exit 143', log: TRAINING, exit: ended(143), code: 'ended_by_signal', again: 'by hand' },
  { name: 'exit 130', log: TRAINING, exit: ended(130), code: 'interrupted', again: 'by hand' },
  { name: 'exit 134', log: `${TRAINING}\nAborted (core dumped)\n`, exit: ended(134), code: 'crash' },
  { name: 'exit 135', log: `${TRAINING}\nBus error (core dumped)\n`, exit: ended(135), code: 'shm' },
  { name: 'MemoryError', log: launched('MemoryError', { before: PREPARED }), code: 'ram' },
  {
    name: 'numpy cannot allocate',
    log: launched(
      'numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.00 GiB for an array with shape (32768, 32768, 3) and data type uint8',
      { before: PREPARED },
    ),
    code: 'ram',
  },
  {
    name: 'torch on the CPU cannot allocate',
    log: launched(
      "RuntimeError: [enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 3221225472 bytes. Error code 12 (Cannot allocate memory)",
      { frames: LOADING },
    ),
    code: 'ram',
    not: /GPU/,
  },
  {
    name: 'torch on the CPU, older words',
    log: launched(
      'RuntimeError: [enforce fail at C:\\cb\\pytorch_1000000000000\\work\\c10\\core\\impl\\alloc_cpu.cpp:72] data. DefaultCPUAllocator: not enough memory: you tried to allocate 37748736 bytes.',
      { frames: LOADING },
    ),
    code: 'ram',
  },
  {
    name: 'fork cannot allocate',
    log: launched('OSError: [Errno 12] Cannot allocate memory'),
    code: 'ram',
    not: /GPU/,
  },
  {
    name: 'mmap of a model',
    log: launched(
      'RuntimeError: unable to mmap 23802932552 bytes from file </pod/models/flux1-dev.safetensors>: Cannot allocate memory (12)',
      { frames: LOADING },
    ),
    code: 'ram',
    not: /\/dev\/shm/,
  },
  {
    name: 'std::bad_alloc',
    log: `${TRAINING}\nterminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n${launcher(-6)}`,
    code: 'ram',
  },
  { name: 'std::bad_alloc in Python', log: launched('MemoryError: std::bad_alloc'), code: 'ram' },

  { name: 'worker killed', log: killed('Killed'), code: 'ram', not: /\/dev\/shm/ },
  {
    name: 'worker bus error',
    log: `${TRAINING}\nERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).\n${traceback("RuntimeError: DataLoader worker (pid 4021) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.")}${launcher()}`,
    code: 'shm',
  },
  { name: 'worker segfault', log: killed('Segmentation fault'), code: 'crash', not: /\/dev\/shm/ },
  { name: 'worker illegal instruction', log: killed('Illegal instruction'), code: 'crash' },
  { name: 'worker floating point', log: killed('Floating point exception'), code: 'crash' },
  { name: 'worker terminated', log: killed('Terminated'), code: 'ended_by_signal', not: /\/dev\/shm/ },
  {
    name: 'worker exited unexpectedly',
    log: `${TRAINING}\n${traceback('_queue.Empty')}${CAUSED}${traceback('RuntimeError: DataLoader worker (pid(s) 4021, 4022) exited unexpectedly')}${launcher()}`,
    code: 'ram_or_shm',
  },
  {
    name: 'worker exited with a code',
    log: launched(
      'RuntimeError: DataLoader worker (pid 4021) exited unexpectedly with exit code 1. Details are lost due to multiprocessing. Rerunning with num_workers=0 may give better error trace.',
    ),
    code: [`ram_or_shm`, 'worker_lost'],
    says: /loader workers|max_data_loader_n_workers/,
  },
  {
    name: 'ConnectionResetError in the queue of a killed worker',
    log: `${TRAINING}\n${traceback('ConnectionResetError: [Errno 104] Connection reset by peer')}${DURING}${traceback('RuntimeError: DataLoader worker (pid 4021) is killed by signal: Killed. ')}${launcher()}`,
    code: 'ram',
    not: /network|hub/i,
  },
  {
    name: 'shm full',
    log: launched('RuntimeError: unable to write to file </torch_4021_352123_0>: No space left on device (28)'),
    code: 'shm',
    not: /disk is full/i,
  },
  {
    name: 'shm full, older',
    log: launched(
      'RuntimeError: unable to open shared memory object </torch_4021_352123> in read-write mode: No space left on device (28)',
    ),
    code: 'shm',
  },
  {
    name: 'shm full, multiprocessing lock',
    log: launched("OSError: [Errno 28] No space left on device: '/dev/shm/pym-4021-abc'"),
    code: 'shm',
  },
  {
    name: 'shm full in a worker',
    log: launched('').replace(
      /Traceback[\s\S]*/,
      inWorker('RuntimeError: unable to allocate shared memory(shm) for file </torch_1_2_3>: Success (0)') + launcher(),
    ),
    code: 'shm',
  },
  {
    name: 'no shm at all',
    log: launched("FileNotFoundError: [Errno 2] No such file or directory: '/dev/shm/torch_1'"),
    code: ['shm', 'file_missing'],
  },
  { name: 'SIGBUS', log: TRAINING, exit: endedBy('SIGBUS'), code: 'shm' },
  { name: 'SIGBUS behind the launcher', log: `${TRAINING}\n${launcher(-7)}`, code: 'shm' },
  { name: 'open files', log: launched('OSError: [Errno 24] Too many open files'), code: 'open_files', says: /ulimit/ },
  {
    name: 'open files, shared',
    log: launched(
      'RuntimeError: unable to open shared memory object </torch_4021_352123> in read-write mode: Too many open files (24)',
    ),
    code: 'open_files',
  },
  { name: 'open files, ancdata', log: launched('RuntimeError: received 0 items of ancdata'), code: 'open_files' },
  {
    name: 'no more threads',
    log: launched("RuntimeError: can't start new thread"),
    code: ['processes', 'threads'],
    says: /process|thread/i,
    not: /GPU/,
  },
  {
    name: 'no more processes',
    log: launched('BlockingIOError: [Errno 11] Resource temporarily unavailable'),
    code: ['processes', 'threads', null],
  },
  {
    name: 'OpenBLAS threads',
    log: `${PREPARED}OpenBLAS blas_thread_init: pthread_create failed for thread 63 of 64: Resource temporarily unavailable\nOpenBLAS blas_thread_init: RLIMIT_NPROC 1024 current, 1024 max\n${launcher(-11)}`,
    code: ['processes', 'threads', 'crash'],
  },

  {
    name: 'disk full',
    log: launched('OSError: [Errno 28] No space left on device', { frames: SAVING }),
    code: 'disk_full',
    again: 'repeats',
  },
  {
    name: 'disk full, named',
    log: launched("OSError: [Errno 28] No space left on device: '/pod/outputs/cat/cat-000004.safetensors'", {
      frames: SAVING,
    }),
    code: 'disk_full',
  },
  {
    name: 'disk full, safetensors',
    log: launched(
      'safetensors_rust.SafetensorError: Error while serializing: IoError(Os { code: 28, kind: StorageFull, message: "No space left on device" })',
      { frames: SAVING },
    ),
    code: 'disk_full',
  },
  {
    name: 'disk full, safetensors new',
    log: launched(
      'safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)',
      { frames: SAVING },
    ),
    code: 'disk_full',
  },
  {
    name: 'disk full, torch zip',
    log: launched('RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 1024 vs 918', {
      frames: SAVING,
    }),
    code: 'disk_full',
  },
  {
    name: 'disk full, torch writer in a chain',
    log: `${TRAINING}\n${traceback('RuntimeError: [enforce fail at inline_container.cc:783] . PytorchStreamWriter failed writing file data/12: file write failed', SAVING)}${DURING}${traceback('RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 1024 vs 918', SAVING)}${launcher()}`,
    code: 'disk_full',
  },
  {
    name: 'disk full in a tokenizer frame',
    log: launched('OSError: [Errno 28] No space left on device', {
      frames: [
        [
          '/pod/sd-scripts/library/strategy_base.py',
          66,
          '_load_tokenizer',
          'tokenizer.save_pretrained(local_tokenizer_path)',
        ],
      ],
    }),
    code: 'disk_full',
  },
  {
    name: 'disk full while caching',
    log: launched('OSError: 41943040 requested and 12582912 written', { frames: CACHING }),
    code: 'disk_full',
  },
  {
    name: 'disk full while downloading',
    log: launched(
      "OSError: [Errno 28] No space left on device: '/root/.cache/huggingface/hub/tmp_x' -> '/root/.cache/huggingface/hub/blobs/x'",
      { before: PREPARED },
    ),
    code: 'disk_full',
  },
  {
    name: 'disk full in a TensorBoard thread',
    log: launched('OSError: [Errno 28] No space left on device', {
      before: `${TRAINING}\nException in thread Thread-3:\n${traceback('OSError: [Errno 28] No space left on device')}`,
    }),
    code: 'disk_full',
  },
  {
    name: 'quota',
    log: launched("OSError: [Errno 122] Disk quota exceeded: '/pod/outputs/cat/cat-000004.safetensors'", {
      frames: SAVING,
    }),
    code: 'quota',
  },
  {
    name: 'quota, safetensors',
    log: launched(
      'safetensors_rust.SafetensorError: Error while serializing: I/O error: Disk quota exceeded (os error 122)',
      { frames: SAVING },
    ),
    code: 'quota',
  },
  {
    name: 'file too large',
    log: launched('OSError: [Errno 27] File too large', { frames: SAVING }),
    code: ['disk_full', 'quota', 'file_too_large'],
    says: /too large|larger|limit/i,
  },
  {
    name: 'read-only',
    log: launched("OSError: [Errno 30] Read-only file system: '/pod/outputs/cat'", { frames: SAVING }),
    code: 'read_only',
  },
  {
    name: 'read-only, safetensors',
    log: launched(
      'safetensors_rust.SafetensorError: Error while serializing: I/O error: Read-only file system (os error 30)',
      { frames: SAVING },
    ),
    code: 'read_only',
  },
  {
    name: 'not allowed',
    log: launched("PermissionError: [Errno 13] Permission denied: '/pod/outputs/cat/cat.safetensors'", {
      frames: SAVING,
    }),
    code: 'not_allowed',
    says: /\/pod\/outputs\/cat\/cat\.safetensors/,
  },
  {
    name: 'not allowed, safetensors',
    log: launched(
      'safetensors_rust.SafetensorError: Error while serializing: I/O error: Permission denied (os error 13)',
      { frames: SAVING },
    ),
    code: 'not_allowed',
  },
  {
    name: 'input/output error',
    log: launched("OSError: [Errno 5] Input/output error: '/pod/datasets/cat/003.png'"),
    code: 'disk_error',
    says: /003\.png/,
  },
  {
    name: 'stale handle',
    log: launched("OSError: [Errno 116] Stale file handle: '/pod/outputs/cat'", { frames: SAVING }),
    code: 'disk_error',
  },
  {
    name: 'mount gone',
    log: launched("OSError: [Errno 107] Transport endpoint is not connected: '/pod/outputs/cat'", { frames: SAVING }),
    code: 'disk_error',
  },
  {
    name: 'name too long',
    log: launched("OSError: [Errno 36] File name too long: '/pod/outputs/cat/sample/xxxxxxxx.png'"),
    code: ['name_too_long', null],
    says: /too long/i,
    not: /full/,
  },

  {
    name: 'SIGTERM of the process',
    log: TRAINING,
    exit: endedBy('SIGTERM'),
    code: 'ended_by_signal',
    again: 'by hand',
  },
  { name: 'SIGTERM behind the launcher', log: `${TRAINING}\n${launcher(-15)}`, code: 'ended_by_signal' },
  {
    name: 'SIGTERM, elastic',
    log: `${TRAINING}\n${traceback('torch.distributed.elastic.multiprocessing.api.SignalException: Process 139 got signal: 15')}`,
    code: 'ended_by_signal',
    again: 'by hand',
  },
  {
    name: 'SIGHUP, elastic',
    log: `${TRAINING}\n${traceback('torch.distributed.elastic.multiprocessing.api.SignalException: Process 139 got signal: 1')}`,
    code: 'ended_by_signal',
    says: /SIGHUP/,
  },
  {
    name: 'Ctrl-C',
    log: `${TRAINING}\n${traceback('KeyboardInterrupt')}${traceback('KeyboardInterrupt')}`,
    exit: ended(130),
    code: 'interrupted',
    again: 'by hand',
  },
  {
    name: 'Ctrl-C, launcher interleaved',
    log: `${TRAINING}${bars(13, 50)}\n${traceback('KeyboardInterrupt', undefined, 11)}`,
    exit: endedBy('SIGINT'),
    code: 'interrupted',
    again: 'by hand',
  },
  {
    name: 'Ctrl-C, Aborted! of click',
    log: `${TRAINING}\n^C\nAborted!\n`,
    exit: endedBy('SIGINT'),
    code: 'interrupted',
  },
  { name: 'SIGSEGV behind the launcher', log: `${TRAINING}\n${launcher(-11)}`, code: 'crash' },
  { name: 'SIGILL behind the launcher', log: `${PREPARED}${launcher(-4)}`, code: 'crash', says: /processor/ },
  {
    name: 'faulthandler',
    log: `${TRAINING}\nFatal Python error: Segmentation fault\n\nThread 0x00007f57168aa700 (most recent call first):\n  <no Python frame>\n\nCurrent thread 0x00007ff962067300 (most recent call first):\n  File "/pod/venv/lib/python3.12/site-packages/torch/autograd/graph.py", line 769 in _engine_run_backward\n  File "/pod/sd-scripts/train_network.py", line 1480 in train\n\nExtension modules: numpy.core._multiarray_umath, torch._C (total: 210)\n${launcher(-11)}`,
    code: 'crash',
  },
  {
    name: 'faulthandler, bus error',
    log: `${TRAINING}\nFatal Python error: Bus error\n\nCurrent thread 0x00007ff962067300 (most recent call first):\n  File "/pod/venv/lib/python3.12/site-packages/torch/utils/data/_utils/collate.py", line 162 in collate\n${launcher(-7)}`,
    code: 'shm',
  },
  {
    name: 'Python cannot start',
    log: `Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding\nPython runtime state: core initialized\nModuleNotFoundError: No module named 'encodings'\n\nCurrent thread 0x00007f (most recent call first):\n  <no Python frame>\n`,
    code: ['python_broken', null],
    says: /Python/,
    not: /Install encodings|package encodings/,
  },
  {
    name: 'pure virtual method',
    log: `${TRAINING}\npure virtual method called\nterminate called without an active exception\n${launcher(-6)}`,
    code: 'crash',
  },
  {
    name: 'glibc: double free',
    log: `${TRAINING}\ndouble free or corruption (!prev)\n${launcher(-6)}`,
    code: 'crash',
    says: /double free/,
  },
  {
    name: 'killed after harmless shutdown words',
    log: `${TRAINING}\n${ignored('<function _MultiProcessingDataLoaderIter.__del__ at 0x7f>', 'AssertionError: can only test a child process')}${launcher(-9)}`,
    code: ['killed', 'ram'],
  },
  {
    name: 'SLURM ends it',
    log: `${TRAINING}\nslurmstepd: error: *** JOB 1234 ON node1 CANCELLED AT 2026-02-03T10:11:12 DUE TO TIME LIMIT ***\n`,
    exit: endedBy('SIGTERM'),
    code: ['time_limit', 'ended_by_signal'],
  },
  {
    name: 'SLURM: oom_kill',
    log: `${TRAINING}\n${launcher(-9)}slurmstepd: error: Detected 1 oom_kill event in StepId=1234.batch. Some of the step tasks have been OOM Killed.\n`,
    code: ['ram', 'killed'],
    says: /RAM|memory/,
  },
  {
    name: 'rank killed among four',
    log: `${TRAINING}\n${traceback('RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.2]:43210')}${elastic(
      [
        { rank: 2, exitcode: -9 },
        { rank: 0, exitcode: 1 },
      ],
    )}`,
    code: ['killed', 'ram', 'gpu_links'],
    not: /hub/,
  },
  { name: 'no log at all, exit 1', log: '', code: null },
  { name: 'no log at all, SIGKILL', log: '', exit: endedBy('SIGKILL'), code: ['killed', 'ram'] },
];
