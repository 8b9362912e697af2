import { CACHING, IMPORTING, LOADING, RESUMING, type Row, SAVING, TOKENIZER, TRAINING } from '../logs.js';
import { row, start } from './unseen.js';

/** Exceptions under their own words, and texts that only speak of a cause. */
export const ownWords: Row[] = [
  row(
    'ValueError: could not parse prompt: no space left on device, a poster',
    "ValueError: could not parse prompt: 'no space left on device, a poster'",
    null,
  ),
  row(
    'ValueError: unknown tag in caption: CUDA out of memory, masterpiece',
    'ValueError: unknown tag in caption: "CUDA out of memory, masterpiece"',
    null,
  ),
  row(
    'AssertionError: caption too long: cuda out of memory error message on',
    'AssertionError: caption too long: cuda out of memory error message on a screen, pixel art',
    null,
  ),
  row('KeyError: Too many open files', "KeyError: 'Too many open files'", null),
  row(
    'ValueError: Input X contains NaN.nLogisticRegression does not accept m',
    'ValueError: Input X contains NaN.\nLogisticRegression does not accept missing values encoded as NaN natively.',
    null,
  ),
  row('SyntaxError: unexpected EOF while parsing', 'SyntaxError: unexpected EOF while parsing', 'optimizer_args', {
    frames: [
      ['/pod/sd-scripts/library/train_util.py', 4500, 'get_optimizer', 'value = ast.literal_eval(value)'],
      ['/usr/lib/python3.8/ast.py', 59, 'literal_eval', "node_or_string = parse(node_or_string, mode='eval')"],
      ['<unknown>', 1, '', '(0.9,0.99'],
    ],
    ...start,
  }),
  row(
    'ValueError: malformed node or string on line 1: <ast.Name object at 0x',
    'ValueError: malformed node or string on line 1: <ast.Name object at 0x7f3b6c0d2e80>',
    'optimizer_args',
    {
      frames: [
        ['/pod/sd-scripts/library/train_util.py', 4500, 'get_optimizer', 'value = ast.literal_eval(value)'],
        ['/usr/lib/python3.10/ast.py', 110, 'literal_eval', 'return _convert(node_or_string)'],
      ],
      ...start,
    },
  ),
  row(
    'BlockingIOError: [Errno 11] Resource temporarily unavailable',
    'BlockingIOError: [Errno 11] Resource temporarily unavailable',
    null,
    { frames: [['/pod/x/lock.py', 3, 'acquire', 'fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)']] },
  ),
  row(
    'RuntimeError: CUDA error: invalid device ordinalnCUDA kernel errors mi',
    'RuntimeError: CUDA error: invalid device ordinal\nCUDA kernel errors might be asynchronously reported at some other API call',
    'gpu_missing',
    { before: '' },
  ),
  row(
    'RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use C',
    "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start method",
    null,
  ),
  row(
    'requests.exceptions.HTTPError: 999 Client Error: Request denied for ur',
    'requests.exceptions.HTTPError: 999 Client Error: Request denied for url: https://www.linkedin.com/',
    null,
  ),
  row(
    'wandb.errors.errors.CommError: Error communicating with wandb process,',
    'wandb.errors.errors.CommError: Error communicating with wandb process, exiting...',
    'tracker_unreachable',
    start,
  ),
  row(
    'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url:',
    'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.wandb.ai/graphql',
    'tracker_login',
    {
      frames: [
        [
          '/pod/venv/lib/python3.10/site-packages/wandb/sdk/internal/internal_api.py',
          1,
          'f',
          'response.raise_for_status()',
        ],
      ],
      ...start,
    },
  ),
  row(
    'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: again',
    'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://civitai.com/api/download/models/1234',
    null,
    start,
  ),
  row(
    'requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for',
    'requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://civitai.com/api/download/models/1234',
    null,
    start,
  ),
  row(
    'urllib.error.HTTPError: HTTP Error 404: Not Found',
    'urllib.error.HTTPError: HTTP Error 404: Not Found',
    null,
    start,
  ),
  row(
    'FileExistsError: [Errno 17] File exists: /workspace/outputs/cat',
    "FileExistsError: [Errno 17] File exists: '/workspace/outputs/cat'",
    null,
  ),
  row(
    'PermissionError: [Errno 13] Permission denied: /workspace/outputs/cat/',
    "PermissionError: [Errno 13] Permission denied: '/workspace/outputs/cat/cat-000002.safetensors'",
    'not_allowed',
    { frames: SAVING },
  ),
  row(
    'PermissionError: [Errno 1] Operation not permitted: /workspace/outputs',
    "PermissionError: [Errno 1] Operation not permitted: '/workspace/outputs/cat/x'",
    'not_allowed',
    { frames: SAVING },
  ),
  row(
    'FileNotFoundError: [Errno 2] No such file or directory: /workspace/mod',
    "FileNotFoundError: [Errno 2] No such file or directory: '/workspace/models/flux1-dev.safetensors'",
    'file_missing',
    { frames: LOADING, ...start },
  ),
  row(
    'OSError: [Errno 36] File name too long: /workspace/datasets/cat/ + x.r',
    `OSError: [Errno 36] File name too long: '/workspace/datasets/cat/${'x'.repeat(260)}.npz'`,
    'name_too_long',
    { frames: CACHING },
  ),
  row(
    'UnicodeEncodeError: ascii codec cant encode characters in position 0-3',
    "UnicodeEncodeError: 'ascii' codec can't encode characters in position 0-3: ordinal not in range(128)",
    null,
  ),
  row(
    'UnicodeEncodeError: charmap codec cant encode character u2588 in posit',
    "UnicodeEncodeError: 'charmap' codec can't encode character '\\u2588' in position 10",
    null,
  ),
  row(
    'RuntimeError: Input type (float) and bias type (c10::Half) should be t',
    'RuntimeError: Input type (float) and bias type (c10::Half) should be the same',
    null,
  ),
  row(
    'RuntimeError: stack expects each tensor to be equal size, but got [3,',
    'RuntimeError: stack expects each tensor to be equal size, but got [3, 512, 512] at entry 0 and [3, 576, 448] at entry 1',
    null,
  ),
  row(
    'RuntimeError: element 0 of tensors does not require grad and does not',
    'RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn',
    null,
  ),
  row(
    'RuntimeError: Trying to backward through the graph a second time (or d',
    'RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed).',
    null,
  ),
  row(
    'RuntimeError: one of the variables needed for gradient computation has',
    'RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: [torch.cuda.HalfTensor [4, 4]] is at version 2; expected version 1 instead.',
    null,
  ),
  row(
    'AttributeError: NoneType object has no attribute shape',
    "AttributeError: 'NoneType' object has no attribute 'shape'",
    null,
    { frames: CACHING },
  ),
  row('TypeError: NoneType object is not subscriptable', "TypeError: 'NoneType' object is not subscriptable", null),
  row(
    'cv2.error: OpenCV(4.8.1) /io/opencv/modules/imgproc/src/resize.cpp:406',
    "cv2.error: OpenCV(4.8.1) /io/opencv/modules/imgproc/src/resize.cpp:4065: error: (-215:Assertion failed) !ssize.empty() in function 'resize'",
    null,
    { frames: CACHING },
  ),
  row(
    'huggingface_hub.errors.HfHubHTTPError: 403 Forbidden: You dont have th',
    'huggingface_hub.errors.HfHubHTTPError: 403 Forbidden: You don\'t have the rights to create a model under the namespace "someone".\nCannot access content at: https://huggingface.co/api/repos/create.\nMake sure your token has the correct permissions.',
    'hub_token_rights',
    start,
  ),
  row(
    'huggingface_hub.errors.HfHubHTTPError: 403 Forbidden: Authorization er',
    'huggingface_hub.errors.HfHubHTTPError: 403 Forbidden: Authorization error..\nCannot access content at: https://huggingface.co/someone/x.git/info/lfs/objects/batch.',
    'hub_token_rights',
    { before: TRAINING },
  ),
  row(
    'OSError: We couldnt connect to https://huggingface.co to load the file',
    "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.\nCheck your internet connection or see how to run the library in offline mode at 'https://huggingface.co/docs/transformers/installation#offline-mode'.",
    'hub_unreachable',
    { frames: TOKENIZER, ...start },
  ),
  row(
    'OSError: Cant load tokenizer for openai/clip-vit-large-patch14. If you',
    "OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name. Otherwise, make sure 'openai/clip-vit-large-patch14' is the correct path to a directory containing all relevant files for a CLIPTokenizer tokenizer.",
    'tokenizer_missing',
    { frames: TOKENIZER, ...start },
  ),
  row(
    'huggingface_hub.errors.HfHubHTTPError: 500 Internal Server Error: Inte',
    "huggingface_hub.errors.HfHubHTTPError: 500 Internal Server Error: Internal Error - We're working hard to fix this as soon as possible! (Request ID: x) for url https://huggingface.co/api/whoami-v2",
    'hub_down',
    start,
  ),
  row('httpx.ProxyError: 403 Forbidden', 'httpx.ProxyError: 403 Forbidden', 'hub_proxy', start),
  row(
    'httpx.ReadTimeout: The read operation timed out',
    'httpx.ReadTimeout: The read operation timed out',
    'hub_unreachable',
    {
      ...start,
      frames: [['/pod/venv/lib/python3.10/site-packages/huggingface_hub/file_download.py', 1, 'http_get', 'x']],
    },
  ),
  row(
    'httpx.RemoteProtocolError: peer closed connection without sending comp',
    'httpx.RemoteProtocolError: peer closed connection without sending complete message body (received 12 bytes, expected 400)',
    'network',
    {
      ...start,
      frames: [['/pod/venv/lib/python3.10/site-packages/huggingface_hub/file_download.py', 1, 'http_get', 'x']],
    },
  ),
  row(
    'RuntimeError: Cannot send a request, as the client has been closed.',
    'RuntimeError: Cannot send a request, as the client has been closed.',
    null,
    {
      ...start,
      frames: [['/pod/venv/lib/python3.10/site-packages/huggingface_hub/file_download.py', 1, 'http_get', 'x']],
    },
  ),
  row(
    'AttributeError: NoneType object has no attribute cadam32bit_grad_fp32',
    "AttributeError: 'NoneType' object has no attribute 'cadam32bit_grad_fp32'",
    'bitsandbytes',
  ),
  row(
    'AttributeError: /pod/venv/lib/python3.10/site-packages/bitsandbytes/li',
    'AttributeError: /pod/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cpu.so: undefined symbol: cquantize_blockwise_fp16_nf4',
    'bitsandbytes',
  ),
  row(
    'RuntimeError: 🚨 Forgot to compile the bitsandbytes library? 🚨n1. Youre',
    "RuntimeError: 🚨 Forgot to compile the bitsandbytes library? 🚨\n1. You're not using the package but checked-out the source code\n2. You MUST compile from source",
    'bitsandbytes',
  ),
  row(
    'ValueError: torch.cuda.is_available() should be True but is False. xfo',
    "ValueError: torch.cuda.is_available() should be True but is False. xformers' memory efficient attention is only available for GPU ",
    'gpu_missing',
  ),
  row(
    'AssertionError: network for Text Encoder cannot be trained with cachin',
    'AssertionError: network for Text Encoder cannot be trained with caching Text Encoder outputs / Text Encoderの出力をキャッシュしながらText Encoderのネットワークを学習することはできません',
    'settings_conflict',
    { ...start, frames: [['/pod/sd-scripts/sdxl_train_network.py', 60, 'assert_extra_args', 'assert (']] },
  ),
  row(
    'ImportError: cannot import name EncoderDecoderCache from transformers',
    "ImportError: cannot import name 'EncoderDecoderCache' from 'transformers' (/pod/venv/lib/python3.10/site-packages/transformers/__init__.py)",
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'RuntimeError: Failed to import diffusers.loaders.single_file because o',
    "RuntimeError: Failed to import diffusers.loaders.single_file because of the following error (look up to see its traceback):\ncannot import name 'FLAX_WEIGHTS_NAME' from 'transformers.utils' (/x/transformers/utils/__init__.py)",
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'ImportError: tokenizers>=0.21,<0.22 is required for a normal functioni',
    "ImportError: tokenizers>=0.21,<0.22 is required for a normal functioning of this module, but found tokenizers==0.20.3.\nTry: `pip install transformers -U` or `pip install -e '.[dev]'` if you're working with git main",
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'ImportError: numpy.core.multiarray failed to import',
    'ImportError: numpy.core.multiarray failed to import',
    'package_broken',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'AttributeError: np.float_ was removed in the NumPy 2.0 release. Use np',
    'AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.',
    'package_version',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'pkg_resources.DistributionNotFound: The library distribution was not f',
    "pkg_resources.DistributionNotFound: The 'library' distribution was not found and is required by the application",
    null,
    { frames: IMPORTING, before: '' },
  ),
  row(
    'importlib.metadata.PackageNotFoundError: No package metadata was found',
    'importlib.metadata.PackageNotFoundError: No package metadata was found for bitsandbytes',
    'package_missing',
    { frames: IMPORTING, before: '' },
  ),
  row(
    'ImportError: No dadaptation / dadaptation がインストールされていないようです',
    'ImportError: No dadaptation / dadaptation がインストールされていないようです',
    'package_missing',
    start,
  ),
  row(
    'ImportError: No prodigyopt / prodigyopt がインストールされていないようです',
    'ImportError: No prodigyopt / prodigyopt がインストールされていないようです',
    'package_missing',
    start,
  ),
  row(
    'AttributeError: module torch.optim has no attribute Adamw8bit',
    "AttributeError: module 'torch.optim' has no attribute 'Adamw8bit'",
    'unknown_optimizer',
    start,
  ),
  row(
    'ValueError: cosine_anneal is not a valid SchedulerType, please select',
    "ValueError: 'cosine_anneal' is not a valid SchedulerType, please select one of ['linear', 'cosine', 'cosine_with_restarts', 'polynomial', 'constant', 'constant_with_warmup']",
    'refused_value',
    start,
  ),
  row('KeyError: exp_avg', "KeyError: 'exp_avg'", null, { frames: [...RESUMING] }),
  row(
    'RuntimeError: PytorchStreamReader failed reading zip archive: failed f',
    'RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory',
    'cut_file',
    { frames: RESUMING, ...start },
  ),
  row(
    'ValueError: No optimizer states found in /workspace/outputs/cat/cat-00',
    'ValueError: No optimizer states found in /workspace/outputs/cat/cat-000002-state',
    null,
    { frames: RESUMING, ...start },
  ),
  row(
    'ValueError: Tried to find /workspace/outputs/cat/cat-000009-state but',
    'ValueError: Tried to find /workspace/outputs/cat/cat-000009-state but folder does not exist',
    'state_missing',
    { frames: RESUMING, ...start },
  ),
  row(
    'KeyError: model.diffusion_model.joint_blocks.0.context_block.attn.qkv.',
    "KeyError: 'model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight'",
    null,
    { frames: LOADING, ...start },
  ),
  row(
    'RuntimeError: Error(s) in loading state_dict for Flux:ntMissing key(s)',
    'RuntimeError: Error(s) in loading state_dict for Flux:\n\tMissing key(s) in state_dict: "img_in.weight", "img_in.bias", "time_in.in_layer.weight".',
    'wrong_model',
    { frames: LOADING, ...start },
  ),
  row(
    'NotImplementedError: Cannot copy out of meta tensor; no data!',
    'NotImplementedError: Cannot copy out of meta tensor; no data!',
    null,
  ),
  row(
    'torch._dynamo.exc.Unsupported: call_function BuiltinVariable(sum) [Ten',
    'torch._dynamo.exc.Unsupported: call_function BuiltinVariable(sum) [TensorVariable()] {}',
    'compile_failed',
  ),
  row(
    'RuntimeError: Error building extension fused_adam: [1/3] /usr/local/cu',
    "RuntimeError: Error building extension 'fused_adam': [1/3] /usr/local/cuda/bin/nvcc -DTORCH_EXTENSION_NAME=fused_adam",
    'compile_failed',
  ),
  row(
    'OSError: [Errno 28] No space left on device: /root/.triton/cache/abc/_',
    "OSError: [Errno 28] No space left on device: '/root/.triton/cache/abc/__triton_launcher.so'",
    'disk_full',
  ),
  row(
    'OSError: [Errno 28] No space left on device: /tmp/tmpabcd',
    "OSError: [Errno 28] No space left on device: '/tmp/tmpabcd'",
    'disk_full',
  ),
  row(
    'FileNotFoundError: [Errno 2] No usable temporary directory found in [/',
    "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/pod/sd-scripts']",
    'disk_full',
  ),
  row('RuntimeError: received 0 items of ancdata', 'RuntimeError: received 0 items of ancdata', 'open_files'),
  row(
    'ConnectionRefusedError: [Errno 111] Connection refused',
    'ConnectionRefusedError: [Errno 111] Connection refused',
    null,
    { frames: [['/usr/lib/python3.10/multiprocessing/connection.py', 502, 'Client', 'c = SocketClient(address)']] },
  ),
  row(
    'ConnectionResetError: [Errno 104] Connection reset by peer',
    'ConnectionResetError: [Errno 104] Connection reset by peer',
    null,
    {
      frames: [['/usr/lib/python3.10/multiprocessing/connection.py', 383, '_recv', 'chunk = read(handle, remaining)']],
    },
  ),
  row('BrokenPipeError: [Errno 32] Broken pipe', 'BrokenPipeError: [Errno 32] Broken pipe', null, {
    frames: [['/usr/lib/python3.10/multiprocessing/connection.py', 383, '_send', 'x']],
  }),
];
