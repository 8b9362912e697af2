import { CAUSED, DURING, IMPORTING, launched, launcher, PREPARED, type Row, TOKENIZER, traceback } from '../logs.js';

const before = PREPARED;
const from = { before, frames: TOKENIZER };
const url = 'https://huggingface.co/google/gemma-2-2b/resolve/main/tokenizer_config.json';
const http = (words: string) => `requests.exceptions.HTTPError: ${words} for url: ${url}`;

/** The model hub and the network. */
export const hub: Row[] = [
  {
    name: 'gated, transformers',
    log: launched(
      `OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/google/gemma-2-2b.\n401 Client Error. (Request ID: Root=1-0;0)\n\nCannot access gated repo for url ${url}.\nAccess to model google/gemma-2-2b is restricted. You must have access to it and be authenticated to access it. Please log in.`,
      from,
    ),
    code: 'hub_gated',
    says: /google\/gemma-2-2b/,
    again: 'repeats',
  },
  {
    name: 'gated, hub',
    log: launched(
      `huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-0;0)\n\nCannot access gated repo for url https://huggingface.co/black-forest-labs/FLUX.1-dev/resolve/main/ae.safetensors.\nAccess to model black-forest-labs/FLUX.1-dev is restricted and you are not in the authorized list. Visit https://huggingface.co/black-forest-labs/FLUX.1-dev to ask for access.`,
      from,
    ),
    code: 'hub_gated',
    says: /black-forest-labs\/FLUX\.1-dev/,
  },
  {
    name: 'gated, chained over three errors',
    log: `${before}${traceback(http('401 Client Error: Unauthorized'), TOKENIZER)}${CAUSED}${traceback(`huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-0;0)\n\nCannot access gated repo for url ${url}.\nAccess to model google/gemma-2-2b is restricted. You must have access to it and be authenticated to access it. Please log in.`, TOKENIZER)}${CAUSED}${traceback('OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/google/gemma-2-2b.', TOKENIZER)}${launcher()}`,
    code: 'hub_gated',
    says: /google\/gemma-2-2b/,
  },
  {
    name: 'gated, awaiting review',
    log: launched(
      `huggingface_hub.errors.GatedRepoError: 403 Client Error.\n\nCannot access gated repo for url ${url}.\nYour request to access model google/gemma-2-2b is awaiting a review from the repo authors.`,
      from,
    ),
    code: 'hub_gated',
  },
  {
    name: 'fine-grained token',
    log: launched(
      'huggingface_hub.errors.HfHubHTTPError: (Request ID: Root=1-0;0)\n\n403 Forbidden: Please enable access to public gated repositories in your fine-grained token settings to view this repository..\nCannot access content at: https://huggingface.co/black-forest-labs/FLUX.1-dev/resolve/main/ae.safetensors.\nMake sure your token has the correct permissions.',
      from,
    ),
    code: 'hub_token_rights',
  },
  {
    name: 'no rights to upload',
    log: launched(
      'huggingface_hub.errors.HfHubHTTPError: 403 Client Error: Forbidden for url: https://huggingface.co/api/repos/create (Request ID: Root=1-0;0)\n\nYou don\'t have the rights to create a model under the namespace "cat"',
    ),
    code: ['hub_token_rights'],
  },
  {
    name: 'token invalid',
    log: launched(
      'huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/whoami-v2 (Request ID: Root=1-0;0)\n\nInvalid credentials in Authorization header',
      from,
    ),
    code: 'hub_token',
  },
  {
    name: 'token invalid, user access token',
    log: launched(
      'huggingface_hub.utils._errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/whoami-v2\n\nInvalid username or password.',
      from,
    ),
    code: 'hub_token',
  },
  {
    name: 'token required',
    log: launched(
      'huggingface_hub.errors.LocalTokenNotFoundError: Token is required (`token=True`), but no token found. You need to provide a token or be logged in to Hugging Face with `hf auth login` or `huggingface_hub.login`.',
      from,
    ),
    code: 'hub_token',
  },
  {
    name: 'token expired',
    log: launched(
      'OSError: There was a specific connection error when trying to load openai/clip-vit-large-patch14:\n401 Client Error: Unauthorized for url: https://huggingface.co/openai/clip-vit-large-patch14/resolve/main/config.json (Request ID: Root=1-0;0)\n\nUser Access Token "pod" is expired',
      from,
    ),
    code: 'hub_token',
  },
  {
    name: 'no such repository',
    log: launched(
      'huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1-0;0)\n\nRepository Not Found for url: https://huggingface.co/runwayml/stable-diffusion-v1-5/resolve/main/tokenizer/vocab.json.\nPlease make sure you specified the correct `repo_id` and `repo_type`.\nIf you are trying to access a private or gated repo, make sure you are authenticated.',
      from,
    ),
    code: 'hub_not_found',
    says: /runwayml\/stable-diffusion-v1-5/,
  },
  {
    name: 'private or missing, 401',
    log: launched(
      'huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-0;0)\n\nRepository Not Found for url: https://huggingface.co/api/models/cat/secret.\nPlease make sure you specified the correct `repo_id` and `repo_type`.\nIf you are trying to access a private or gated repo, make sure you are authenticated.\nInvalid username or password.',
      from,
    ),
    code: ['hub_not_found', 'hub_token'],
    says: /cat\/secret/,
  },
  {
    name: 'no such file in a repository',
    log: launched(
      'huggingface_hub.errors.EntryNotFoundError: 404 Client Error. (Request ID: Root=1-0;0)\n\nEntry Not Found for url: https://huggingface.co/stabilityai/sdxl-turbo/resolve/main/text_encoder_3/config.json.',
      from,
    ),
    code: 'hub_not_found',
  },
  {
    name: 'no such revision',
    log: launched(
      'huggingface_hub.errors.RevisionNotFoundError: 404 Client Error. (Request ID: Root=1-0;0)\n\nRevision Not Found for url: https://huggingface.co/cat/model/resolve/fp32/config.json.\nInvalid rev id: fp32',
      from,
    ),
    code: 'hub_not_found',
  },
  {
    name: 'not a folder and no name of a model',
    log: launched(
      "OSError: /pod/models/clip is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'\nIf this is a private repository, make sure to pass a token having permission to this repo either by logging in with `hf auth login` or by passing `token=<your_token>`",
      from,
    ),
    code: ['hub_not_found', 'file_missing', 'model_missing'],
    says: /\/pod\/models\/clip/,
  },
  {
    name: 'a path taken for a name',
    log: launched(
      "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/pod/models/sdxl'. Use `repo_type` argument if needed.",
      { before },
    ),
    code: ['hub_not_found', 'file_missing', 'model_missing'],
    says: /\/pod\/models\/sdxl/,
  },
  {
    name: 'a path taken for a name, then a vaguer error',
    log: `${before}${traceback("huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/pod/models/sdxl.safetensors'. Use `repo_type` argument if needed.")}${CAUSED}${traceback("OSError: Incorrect path_or_model_id: '/pod/models/sdxl.safetensors'. Please provide either the path to a local folder or the repo_id of a model on the Hub.")}${launcher()}`,
    code: ['hub_not_found', 'file_missing', 'model_missing'],
    says: /\/pod\/models\/sdxl\.safetensors/,
  },
  { name: 'too many requests', log: launched(http('429 Client Error: Too Many Requests'), from), code: 'hub_too_many' },
  {
    name: 'too many requests, new words',
    log: launched(
      "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/models/x/y (Request ID: Root=1-0;0)\n\nWe had to rate limit your IP (1.2.3.4). To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you're using the API.",
      from,
    ),
    code: 'hub_too_many',
  },
  {
    name: 'too many requests, httpx',
    log: launched(
      "httpx.HTTPStatusError: Client error '429 Too Many Requests' for url 'https://huggingface.co/openai/clip/resolve/main/config.json'",
      from,
    ),
    code: 'hub_too_many',
  },
  {
    name: 'offline, tokenizer missing',
    log: launched(
      "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.\nCheck your internet connection or see how to run the library in offline mode at 'https://huggingface.co/docs/transformers/installation#offline-mode'.",
      from,
    ),
    code: ['tokenizer_missing', 'hub_unreachable'],
  },
  {
    name: "can't load tokenizer",
    log: launched(
      "OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name. Otherwise, make sure 'openai/clip-vit-large-patch14' is the correct path to a directory containing all relevant files for a CLIPTokenizer tokenizer.",
      from,
    ),
    code: 'tokenizer_missing',
    says: /openai\/clip-vit-large-patch14/,
  },
  {
    name: 'offline mode',
    log: launched(
      'huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/api/models/x/y: offline mode is enabled. To disable it, please unset the `HF_HUB_OFFLINE` environment variable.',
      { before },
    ),
    code: 'hub_offline',
    says: /HF_HUB_OFFLINE/,
  },
  {
    name: 'outgoing traffic disabled',
    log: launched(
      "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision on the local disk and outgoing traffic has been disabled. To enable repo look-ups and downloads online, pass 'local_files_only=False' as input.",
      { before },
    ),
    code: 'hub_offline',
  },
  {
    name: 'local cache and no hub',
    log: launched(
      'huggingface_hub.errors.LocalEntryNotFoundError: An error happened while trying to locate the file on the Hub and we cannot find the requested files in the local cache. Please check your connection and try again or make sure your Internet connection is on.',
      { before },
    ),
    code: ['hub_unreachable', 'tokenizer_missing'],
  },
  {
    name: 'DNS',
    log: launched('socket.gaierror: [Errno -3] Temporary failure in name resolution', { before }),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'DNS, the whole chain',
    log: `${before}${traceback('socket.gaierror: [Errno -2] Name or service not known')}${DURING}${traceback("urllib3.exceptions.NameResolutionError: <urllib3.connection.HTTPSConnection object at 0x7f>: Failed to resolve 'huggingface.co' ([Errno -2] Name or service not known)")}${CAUSED}${traceback("urllib3.exceptions.MaxRetryError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /openai/clip/resolve/main/config.json (Caused by NameResolutionError(\"Failed to resolve 'huggingface.co'\"))")}${DURING}${traceback("requests.exceptions.ConnectionError: (MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /openai/clip/resolve/main/config.json\"), '(Request ID: 0)')")}${launcher()}`,
    code: ['hub_unreachable', 'network'],
  },
  {
    name: 'time-out',
    log: launched(
      "requests.exceptions.ReadTimeout: (ReadTimeoutError(\"HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out. (read timeout=10)\"), '(Request ID: 0)')",
      { before },
    ),
    code: ['hub_unreachable', 'network'],
  },
  {
    name: 'connection reset',
    log: launched(
      "urllib3.exceptions.ProtocolError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
      { before },
    ),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'connection broken while downloading',
    log: launched(
      "requests.exceptions.ChunkedEncodingError: ('Connection broken: IncompleteRead(1048576 bytes read, 3915776 more expected)', IncompleteRead(1048576 bytes read, 3915776 more expected))",
      { before },
    ),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'httpx',
    log: launched('httpx.ConnectError: [Errno 111] Connection refused', { before }),
    code: ['network', 'hub_unreachable'],
  },
  {
    name: 'proxy',
    log: launched(
      "requests.exceptions.ProxyError: (MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /x (Caused by ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 407 Proxy Authentication Required')))\"), '(Request ID: 0)')",
      { before },
    ),
    code: 'hub_proxy',
  },
  {
    name: 'proxy, socks',
    log: launched('requests.exceptions.InvalidSchema: Missing dependencies for SOCKS support.', { before }),
    code: ['hub_proxy', 'package_missing'],
  },
  {
    name: 'certificate',
    log: launched(
      "requests.exceptions.SSLError: (MaxRetryError(\"HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /x (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate in certificate chain (_ssl.c:1007)')))\"), '(Request ID: 0)')",
      { before },
    ),
    code: 'hub_certificate',
  },
  {
    name: 'hub down',
    log: launched(
      'huggingface_hub.errors.HfHubHTTPError: 503 Server Error: Service Temporarily Unavailable for url: https://huggingface.co/api/models/x/y',
      { before },
    ),
    code: 'hub_down',
    again: null,
  },
  { name: 'hub gateway', log: launched(http('504 Server Error: Gateway Time-out'), { before }), code: 'hub_down' },
  {
    name: 'xet',
    log: launched(
      'RuntimeError: Data processing error: CAS service error : ReqwestMiddleware Error: Request failed after 5 retries',
      { before },
    ),
    code: ['hub_unreachable', 'network', 'hub_down'],
  },
  {
    name: 'hf_transfer missing',
    log: launched(
      "ValueError: Fast download using 'hf_transfer' is enabled (HF_HUB_ENABLE_HF_TRANSFER=1) but 'hf_transfer' package is not available in your environment. Try `pip install hf_transfer`.",
      { before },
    ),
    code: ['package_missing'],
    says: /hf_transfer/,
  },
  {
    name: 'file of another size',
    log: launched(
      'OSError: Consistency check failed: file should be of size 9922 but has size 4961 (model.safetensors).\nThis is usually due to network issues while downloading the file. Please retry with `force_download=True`.',
      { before },
    ),
    code: ['network', 'hub_unreachable', 'cut_file'],
  },
  {
    name: 'wandb asks for a key',
    log: launched(
      'wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])',
    ),
    code: 'tracker_login',
  },
  {
    name: 'wandb, old words',
    log: launched('wandb.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])'),
    code: 'tracker_login',
  },
  {
    name: 'wandb refuses the key',
    log: launched(
      'wandb.errors.CommError: It appears that you do not have permission to access the requested resource. Please reach out to the project owner to grant you access. (Error 403: Forbidden)',
    ),
    code: 'tracker_login',
    not: /Hugging|hub token/i,
  },
  {
    name: 'wandb unreachable',
    log: launched(
      'wandb.errors.CommError: Run initialization has timed out after 90.0 sec. Please try increasing the timeout with the `init_timeout` setting: `wandb.init(settings=wandb.Settings(init_timeout=120))`.',
    ),
    code: ['network', 'tracker_unreachable', 'tracker_login'],
    says: /wandb/i,
  },
  {
    name: 'wandb missing',
    log: launched('ImportError: No wandb / wandb がインストールされていないようです'),
    code: 'package_missing',
    says: /wandb/,
  },
  {
    name: 'gated while the OOM was only a warning before',
    log: launched(
      `OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/google/gemma-2-2b.`,
      {
        before: `${before}WARNING  torch.OutOfMemoryError: CUDA out of memory. retrying on the CPU\n`,
        frames: TOKENIZER,
      },
    ),
    code: 'hub_gated',
  },
  {
    name: 'tokenizer in newer transformers',
    log: launched(
      "OSError: openai/clip-vit-large-patch14 does not appear to have a file named tokenizer_config.json. Checkout 'https://huggingface.co/openai/clip-vit-large-patch14/tree/main' for available files.",
      from,
    ),
    code: 'hub_not_found',
    says: /tokenizer_config\.json|openai\/clip/,
  },
  {
    name: 'diffusers finds no weights',
    log: launched(
      'OSError: Error no file named diffusion_pytorch_model.bin found in directory /pod/models/sdxl/unet.',
      { before },
    ),
    code: ['file_missing', 'model_incomplete'],
    says: /\/pod\/models\/sdxl/,
  },
  {
    name: 'HTTP 401 of another host is no hub',
    log: launched(
      'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://hooks.example.com/notify',
    ),
    code: null,
    says: /hooks\.example\.com/,
  },
  {
    name: 'HTTP 404 of another host is no hub',
    log: launched('urllib.error.HTTPError: HTTP Error 404: Not Found', { frames: IMPORTING }),
    code: null,
    says: /404/,
  },
];
