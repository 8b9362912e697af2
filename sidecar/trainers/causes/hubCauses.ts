import { type Clue, type KnownCause, pythonOf } from './cause.js';

/** Is it the model hub that is spoken of? Other servers (wandb, a proxy for pip) answer with the same words. */
const ofHub = ({ text, frames }: Clue) =>
  /hugging ?face|hf\.co|HfHub|LocalEntryNotFound|OfflineMode|Can't load|error when trying to load|gated repo/i.test(
    text,
  ) ||
  frames.some((frame) => /huggingface_hub|transformers|diffusers|_load_tokenizer|hf_hub|from_pretrained/.test(frame));

/** wandb and swanlab speak of logins, too. */
const ofTracker = ({ text, frames }: Clue) =>
  /wandb/i.test(text) || frames.some((frame) => /site-packages\/(?:wandb|swanlab)\//.test(frame));

/** `owner/name`, from an address of the hub or from the words around it. */
function repositoryOf({ text }: Clue): string {
  return (IN_ADDRESS.exec(text)?.[1] ?? IN_WORDS.exec(text)?.[1] ?? '').replace(/(?<!\.)\.+$|\.git$/, '');
}

const IN_ADDRESS = /huggingface\.co\/(?:api\/models\/)?(?!api\/)([\w.-]{1,96}\/[\w.-]{1,96})/;
const IN_WORDS =
  /(?:Access to model|trying to load|load tokenizer for|load the (?:model|configuration) of) '?([\w.-]{1,96}\/[\w.-]{1,96})/;

const named = (clue: Clue, without: string) => repositoryOf(clue) || without;

/** A path that is no folder of this disk is taken for the name of a model. */
const TAKEN_FOR_A_NAME =
  /(?:OSError|EnvironmentError): ([^\s'"]{1,400}) is not a local folder and is not a valid model|(?:Repo id must be in the form|Repo id must use alphanumeric)[^\n]{0,120}: '([^'\n]{1,400})'|Incorrect path_or_model_id: '([^'\n]{1,400})'|The provided pretrained_model_name_or_path "([^"\n]{1,400})" is neither/;

const NOT_REACHED =
  'The model hub (huggingface.co) could not be reached, and something that is needed from it is not on this disk yet.';

/** What the model hub answered, or that it did not. */
export const HUB_CAUSES: readonly KnownCause[] = [
  {
    id: 'hub_token_rights',
    pattern: /\b403 (?:Client Error|Forbidden)/,
    unless: /storage/i,
    needs: ({ text }) =>
      /rights to create|\/api\/repos\/create|info\/lfs\/|\/preupload\/|\/commit\/|must use a write token|need write access/i.test(
        text,
      ),
    words: (clue) =>
      `The token may not upload to ${named(clue, 'the model hub')}. On huggingface.co make a token that may write there, put it into the secrets (HF_TOKEN), or switch the upload off; then resume.`,
    repeats: true,
  },
  {
    id: 'hub_token_rights',
    pattern: /fine-grained token settings|token has the correct permissions/,
    words: (clue) =>
      `The token may not read gated models: ${named(clue, 'what is needed')}. On huggingface.co, in the settings of the token, allow access to public gated repositories; then start again.`,
    repeats: true,
  },
  {
    id: 'hub_storage',
    pattern: /storage (?:limit|quota) (?:reached|exceeded)|exceeded .{0,40}storage/i,
    needs: ofHub,
    words:
      'The storage of your account on the model hub is full, so nothing could be uploaded. Delete something there, or switch the upload off; then resume.',
    repeats: true,
  },
  {
    id: 'hub_gated',
    pattern:
      /GatedRepo(?:Error)?\b|gated repo\b|you are not in the authorized list|Access to model .{1,120} is restricted|must have access to it and be authenticated|awaiting a review from the repo authors/i,
    unless: /RepositoryNotFoundError|Repository Not Found/,
    words: (clue) =>
      `The licence of ${named(clue, 'a model')} has to be accepted on huggingface.co with the account of your token. Do so, put the token (HF_TOKEN) into the secrets, then start again.`,
    repeats: true,
  },
  {
    id: 'hub_too_many',
    pattern: /\b429\b.{0,60}(?:Too Many Requests|Client Error)|Too Many Requests|rate limit/i,
    needs: (clue) => ofHub(clue) && !ofTracker(clue),
    words:
      'The model hub limits requests: too many came from this address. A token (HF_TOKEN on the Secrets page) raises the limit. Wait a few minutes, then start again.',
  },
  {
    id: 'model_missing',
    pattern: TAKEN_FOR_A_NAME,
    needs: ({ text }) => (TAKEN_FOR_A_NAME.exec(text)?.slice(1).find(Boolean) ?? '').split('/').length !== 2,
    words: (_, found) =>
      `${found.slice(1).find(Boolean)} is neither a file or folder on this disk nor the name of a model on the hub (owner/name). Correct the path, then start again.`,
    repeats: true,
  },
  {
    id: 'hub_not_found',
    pattern:
      /RepositoryNotFoundError|Repository Not Found|RevisionNotFoundError|EntryNotFoundError|\b404 Client Error|is not a local folder and is not a valid model identifier|does not appear to have a file named/,
    unless: (clue) => /LocalEntryNotFoundError/.test(clue.text) || ofTracker(clue),
    needs: ofHub,
    words: (clue) =>
      `There is no ${named(clue, 'such file')} on the model hub, or it is private and the token may not see it. Check how the model is written; then start again.`,
    repeats: true,
  },
  {
    id: 'hub_token',
    pattern:
      /\b401 Client Error|Invalid user token|Invalid credentials|401 Unauthorized|Invalid username or password|User Access Token .{0,80}is expired|OAuth.{0,20}token is expired/,
    needs: (clue) => ofHub(clue) && !ofTracker(clue),
    words:
      'The model hub did not accept the token. Make a new one on huggingface.co, save it on the Secrets page (HF_TOKEN), then start again.',
    repeats: true,
  },
  {
    id: 'hub_token',
    pattern: /LocalTokenNotFoundError|Token is required .{0,60}but no token found/,
    words:
      'A token of the model hub is needed, and there is none. Make one on huggingface.co, save it on the Secrets page (HF_TOKEN), then start again.',
    repeats: true,
  },
  {
    id: 'hub_token_rights',
    pattern: /\b403 (?:Client Error|Forbidden)/,
    needs: (clue) => ofHub(clue) && !ofTracker(clue),
    words: (clue) =>
      `The model hub refused ${named(clue, 'what is needed')} to this token. Accept its licence on huggingface.co, and see that the token may read gated models; then start again.`,
    repeats: true,
  },
  {
    id: 'hub_offline',
    pattern: /OfflineModeIsEnabled|offline mode is enabled|outgoing traffic has been disabled|HF_HUB_OFFLINE/,
    words:
      'Something that is needed from the model hub is not on this disk, and offline mode is on. Download it on the Models page, or unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE; then start again.',
    repeats: true,
  },
  {
    id: 'hub_proxy',
    pattern: /Missing dependencies for SOCKS support/,
    words: (clue) =>
      `This machine uses a SOCKS proxy, which needs a package: ${pythonOf(clue.session)} -m pip install pysocks; then start again.`,
    repeats: true,
  },
  {
    id: 'hub_proxy',
    pattern: /ProxyError|Tunnel connection failed|407 Proxy Authentication/,
    needs: (clue) => !ofTracker(clue),
    words:
      'The proxy of this machine refused the connection to the model hub. Check HTTPS_PROXY in the environment of Trackside; then start again.',
  },
  {
    id: 'hub_certificate',
    pattern: /CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError/,
    needs: (clue) => !ofTracker(clue),
    words:
      'The certificate of the server could not be verified. Check whether the clock of the pod is right, and whether there is a proxy in between; then start again.',
  },
  {
    id: 'hub_down',
    pattern: /\b50[0-4] (?:Server Error|Internal|Bad Gateway|Service|Gateway)|Service Temporarily Unavailable/,
    needs: (clue) => ofHub(clue) && !ofTracker(clue),
    words: 'The model hub is out of order at the moment. Wait a few minutes, then start again.',
  },
  {
    id: 'tokenizer_missing',
    vague: true,
    pattern:
      /^(?:TypeError|OSError|EnvironmentError|ValueError): [\s\S]*(?:Can't load tokenizer|stat: path should be|expected str, bytes or os\.PathLike object, not NoneType|NoneType)/,
    needs: ({ frames }) => frames.some((frame) => /_load_tokenizer$/.test(frame)),
    words: (clue) =>
      `${repositoryOf(clue) ? `The tokenizer ${repositoryOf(clue)}` : 'A tokenizer that the trainer needs'} is not on this disk, and the model hub could not be reached to get it. Download it on the Models page, or check the network; then start again.`,
  },
  {
    id: 'hub_unreachable',
    pattern: /CAS service error|Data processing error: |File reconstruction error|hf_xet/,
    words:
      'A download from the model hub broke off. Start again: it continues where it stopped. If that happens again, set HF_HUB_DISABLE_XET=1 in the environment of Trackside.',
  },
  {
    id: 'hub_unreachable',
    pattern: /Consistency check failed: file should be of size/,
    words: 'A download from the model hub broke off before the end of the file. Start again: it is downloaded again.',
  },
  {
    id: 'hub_unreachable',
    vague: true,
    pattern:
      /gaierror|Temporary failure in name resolution|Name or service not known|NameResolutionError|LocalEntryNotFoundError|MaxRetryError|ConnectTimeout|ReadTimeout|RemoteDisconnected|ChunkedEncodingError|IncompleteRead|Network is unreachable|Connection (?:reset by peer|aborted|refused|error)|(?:^|\.)ConnectionError|couldn't connect to|Can't load (?:tokenizer|the model|the configuration|feature extractor)|connection error when trying to load|SSLError/,
    needs: (clue) => ofHub(clue) && !ofTracker(clue),
    words: `${NOT_REACHED} Check the network, then start again.`,
  },
  {
    id: 'network',
    vague: true,
    pattern:
      /gaierror|Temporary failure in name resolution|Name or service not known|NameResolutionError|Network is unreachable/,
    unless: ofTracker,
    words:
      'This machine could not reach a server: its name was not found ($&). Check the network of the pod, then start again.',
  },
  {
    id: 'network',
    vague: true,
    // Only of libraries that speak with servers: the queues of workers break off with the same words.
    pattern:
      /^(?:requests|urllib3|httpx|httpcore|aiohttp|http\.client)\.[\w.]{0,80}(?:ConnectionError|ConnectError|Timeout|TimeoutError|ProtocolError|ChunkedEncodingError|IncompleteRead|RemoteDisconnected|ReadError|MaxRetryError)\b/,
    unless: ofTracker,
    words: 'The connection of the trainer to a server broke off. Check the network of the pod, then start again.',
  },
  {
    id: 'tracker_login',
    pattern: /\b40[13] (?:Client Error|Unauthorized|Forbidden)/,
    needs: ofTracker,
    words:
      'The tracker did not accept its key. Save the right one (WANDB_API_KEY) on the Secrets page, or remove --log_with wandb; then start again.',
    repeats: true,
  },
  {
    id: 'tracker_unreachable',
    pattern: /wandb[\s\S]{0,80}(?:timed out|Network error|[Cc]onnection|MaxRetryError|Error communicating with)/,
    words:
      'The tracker (wandb) could not be reached. Set WANDB_MODE=offline in the environment of Trackside, or remove --log_with wandb; then start again.',
  },
  {
    id: 'tracker_login',
    pattern:
      /api_key not configured|wandb\.errors\S*: .{0,200}(?:login|API key|permission)|swanlab.{0,80}(?:login|api key)/i,
    words: ({ text }) =>
      /swanlab/i.test(text)
        ? 'The tracker (swanlab) is not logged in. Log in with swanlab login, or remove it from the settings; then start again.'
        : 'The tracker (wandb) is not logged in. Save its key (WANDB_API_KEY) on the Secrets page, or remove --log_with wandb; then start again.',
    repeats: true,
  },
];
