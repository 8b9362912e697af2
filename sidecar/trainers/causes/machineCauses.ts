import type { Clue, KnownCause } from './cause.js';

export const OUT_OF_RAM =
  'The pod ran out of memory (RAM), and the kernel ended the trainer. Use fewer loader workers, or a pod with more memory, then resume.';
const RAM_FULL = 'The pod ran out of memory (RAM). Use fewer loader workers, or a pod with more memory, then resume.';
const SHM =
  'The shared memory of the pod (/dev/shm) is full. Set loader workers to 0 or lower, or start the container with a larger --shm-size; then resume.';

const isShared = ({ text }: Clue) => /<?\/torch_\d|\/dev\/shm|shared memory object/.test(text);
/** Its last write is what the disk refused; a reader meets a full disk nowhere. */
const reads = ({ text }: Clue) => /PytorchStreamReader|file not found: |failed finding central directory/.test(text);

/** Memory, disks, files and processes of the machine. */
export const MACHINE_CAUSES: readonly KnownCause[] = [
  {
    id: 'open_files',
    pattern: /Too many open files(?=["':.)]|\s*(?:\(|$))|\[Errno (?:23|24)\]|received 0 items of ancdata/m,
    words:
      'The trainer had too many files open. Raise the limit (ulimit -n 65536 in the shell that starts Trackside) or lower the loader workers; then resume.',
  },
  {
    id: 'shm',
    pattern:
      /No space left on device(?=["':.)]|\s*(?:[([]|$))|unable to (?:write to file|mmap|open shared memory object|resize|allocate shared memory)|could not allocate shared memory|Error while creating shared memory segment/im,
    needs: isShared,
    words: SHM,
  },
  {
    id: 'shm',
    pattern:
      /workers? (?:are |is )?out of shared memory|DataLoader worker .{0,60}killed by signal: Bus error|insufficient shared memory \(shm\)/,
    words: SHM,
  },
  {
    id: 'ram',
    pattern: /DataLoader worker .{0,60}killed by signal: Killed/,
    words:
      'A loader worker was killed: most likely the pod ran out of memory (RAM). Use fewer loader workers, or a pod with more memory, then resume.',
  },
  {
    id: 'crash',
    pattern:
      /DataLoader worker .{0,60}killed by signal: (Segmentation fault|Aborted|Illegal instruction|Floating point exception)/,
    words:
      'A loader worker crashed ($1) inside one of its libraries. Set loader workers to 0 to see which picture it was, then resume.',
  },
  {
    id: 'ended_by_signal',
    pattern: /DataLoader worker .{0,60}killed by signal: (Terminated|Interrupt|Hangup|Quit)/,
    words: 'Something else on this machine ended a loader worker ($1).',
    byHand: true,
  },
  {
    id: 'ram_or_shm',
    pattern: /DataLoader worker .{0,120}exited unexpectedly/,
    vague: true,
    words:
      'A loader worker ended and said nothing about it. Most often the RAM or the shared memory (/dev/shm) of the pod is full: use fewer loader workers, then resume.',
  },
  {
    id: 'ram',
    pattern:
      /DefaultCPUAllocator: |\bMemoryError\b|Cannot allocate memory|\[Errno 12\]|std::bad_alloc|Unable to allocate .{1,30} for an array|os error 12\)|paging file is too small|\(os error 1455\)/,
    unless: /DefaultCPUAllocator: not enough memory: you tried to allocate 0 bytes/,
    words: RAM_FULL,
  },
  {
    id: 'ram',
    said: true,
    pattern: /^slurmstepd: error: Detected \d+ oom[_-]kill|^srun: error: .{0,80}: Out Of Memory/,
    words: RAM_FULL,
  },
  {
    id: 'quota',
    pattern: /Disk quota exceeded|\[Errno 122\]|os error 122\)/,
    words:
      'Your quota on this disk is used up, though the disk itself may have space. Delete old checkpoints and state folders, or ask for more; then resume: complete state folders are not lost.',
    repeats: true,
  },
  {
    id: 'disk_full',
    pattern:
      /No space left on device(?=["':.)]|\s*(?:[([]|$))|\[Errno 28\]|os error 28\)|PytorchStreamWriter failed|inline_container\.cc:\d+\] \. unexpected pos|^OSError: \d{1,15} requested and \d{1,15} written|not enough space on the disk|database or disk is full|Not enough free disk space/im,
    unless: (clue) => isShared(clue) || reads(clue),
    words:
      'The disk is full. Free some space (old checkpoints and state folders are the largest files; if df -h shows free space, look at df -i), then resume: complete state folders are not lost.',
    repeats: true,
  },
  {
    id: 'read_only',
    pattern: /Read-only file system(?:: '([^']{1,300})')?|\[Errno 30\]/,
    words: (_, found) =>
      `${found[1] ?? 'A folder that the trainer writes to'} is on a disk that is read-only. Often the volume failed and was mounted anew: restart the pod, or choose another folder.`,
    repeats: true,
  },
  {
    id: 'file_too_large',
    pattern: /\[Errno 27\]|File too large/,
    words:
      'A file became larger than this disk, or this user’s limit (ulimit -f), allows. Choose another folder, or raise the limit; then resume.',
    repeats: true,
  },
  {
    id: 'name_too_long',
    pattern: /(?:\[Errno 36\] )?File name too long: '([^'\n]{1,4000})'/,
    words: (_, found) =>
      `A file name is too long for this disk: ${(found[1] ?? '').slice(0, 120)}…. Give the picture, the dataset or the LoRA a shorter name, then start again.`,
    repeats: true,
  },
  {
    id: 'disk_full',
    pattern: /No usable temporary directory found in/,
    words:
      'No temporary file can be written: /tmp is full, or read-only. Free some space there, or set TMPDIR in the environment of Trackside to another folder; then start again.',
    repeats: true,
  },
  {
    id: 'processes',
    pattern:
      /can't start new thread|\[Errno 11\] Resource temporarily unavailable|pthread_create failed|Resource temporarily unavailable.{0,20}fork|fork: retry/,
    // Who asks for a lock that another holds gets the same number.
    needs: ({ text, frames }) =>
      !/^BlockingIOError/.test(text) || frames.some((frame) => /popen|subprocess|process|thread|fork/i.test(frame)),
    words:
      'No more processes or threads may be started on this machine. Use fewer loader workers, end other programs, or raise the limit (ulimit -u); then resume.',
  },
  {
    id: 'disk_error',
    pattern:
      /Input\/output error|\[Errno 5\]|Stale (?:NFS )?file handle|\[Errno 116\]|Transport endpoint is not connected|\[Errno 107\]|Remote I\/O error|os error (?:5|116|107)\)/,
    words: ({ text }) => {
      const file = /(?:\[Errno \d+\]|error)[^'\n]{0,60}: '([^'\n]{1,400})'/.exec(text)?.[1];
      return `The disk or the network volume answered with an error${file ? ` (at ${file})` : ''}. Copy your checkpoints to another disk, see whether the volume is still mounted, then resume.`;
    },
  },
  {
    id: 'port_in_use',
    pattern:
      /EADDRINUSE|[Aa]ddress already in use|errno: 98\b|\[Errno 98\]|Tried to launch distributed communication on port/,
    words:
      'The port on which the processes of this training meet is in use, usually by another training on several GPUs. End it, or set another --main_process_port; then start again.',
  },
  {
    id: 'interrupted',
    pattern: /^KeyboardInterrupt\b/,
    words: 'The trainer was interrupted (SIGINT), as by Ctrl-C.',
    byHand: true,
  },
];
