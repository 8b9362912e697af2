/**
 * The shape of a secret of a known service. It begins with one of its `anchors`; `pattern` is tried there (sticky), on
 * Latin-1 text, and its group `secret` is masked. No match is longer than `REACH` of redact.ts. `next` has to follow the
 * word that the anchor begins.
 */
export type Shape = { anchors: string[]; pattern: RegExp; next?: string };

export const SHAPES: readonly Shape[] = [
  // Hugging Face: of a person, of an organisation.
  { anchors: ['hf_'], pattern: /hf_(?<secret>[A-Za-z0-9]{30,200})/dy },
  { anchors: ['api_org_'], pattern: /api_org_(?<secret>[A-Za-z0-9]{30,200})/dy },
  // Weights & Biases: forty hexadecimal digits, like a commit's, so only next to a word that names them.
  {
    anchors: ['wandb', 'WANDB', 'api_key', 'API_KEY', 'api key', 'API key', 'apikey', 'api-key'],
    pattern: /(?:wandb|api[_ -]?key)[^\r\n]{0,60}?(?<![0-9a-f])(?<secret>[0-9a-f]{40})(?![0-9a-f])/diy,
  },
  { anchors: ['wandb_v1_'], pattern: /wandb_v1_(?<secret>\w{20,200})/dy },
  // OpenAI and its followers.
  { anchors: ['sk-'], pattern: /(?<![A-Za-z0-9])sk-(?=[\w-]{0,200}\d)(?<secret>[\w-]{20,200})/dy },
  { anchors: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], pattern: /gh[pousr]_(?<secret>[A-Za-z0-9]{36,200})/dy },
  { anchors: ['github_pat_'], pattern: /github_pat_(?<secret>\w{22,200})/dy },
  { anchors: ['glpat-'], pattern: /glpat-(?<secret>[\w-]{20,200})/dy },
  // RunPod
  { anchors: ['rpa_'], pattern: /rpa_(?<secret>[A-Za-z0-9]{32,200})/dy },
  { anchors: ['AKIA', 'ASIA'], pattern: /(?:AKIA|ASIA)(?<secret>[0-9A-Z]{16})(?![0-9A-Za-z])/dy },
  // The password in a URL.
  { anchors: ['://'], pattern: /:\/\/[^\s/@:'"<>]{0,200}:(?<secret>[^\s/@'"<>]{1,500})@/dy },
  { anchors: ['?token=', '&token=', '_token=', ';token='], pattern: /[?&_;]token=(?<secret>[^\s&"'<>]{8,500})/dy },
  { anchors: ['earer '], pattern: /earer +(?<secret>[\w.~+/=-]{16,2000})/dy },
  { anchors: ['asic '], pattern: /asic +(?<secret>[A-Za-z0-9+/]{16,1000}={0,2})(?![\w-])/dy },
  // JSON web tokens: two parts of JSON and a signature.
  { anchors: ['eyJ'], pattern: /eyJ(?<secret>[\w-]{8,600}\.eyJ[\w-]{8,1500}\.[\w-]{8,600})/dy, next: '.eyJ' },
  // `--wandb_api_key=…` of a command line, `AWS_SECRET_ACCESS_KEY=…` of an environment.
  {
    anchors: ['token', 'api_key', 'password', 'secret'],
    pattern: /(?<=--[\w-]{0,60})(?:token|api_key|password|secret)(?:=|', '| +)(?<secret>[^\s'"]{8,500})/dy,
  },
  {
    anchors: ['TOKEN', 'API_KEY', 'SECRET', 'ACCESS_KEY', 'PASSWORD'],
    pattern: /(?:TOKEN|API_KEY|SECRET|ACCESS_KEY|PASSWORD)=["']?(?<secret>[^\s'"]{8,500})/dy,
  },
];

/** The end of a cut text that may become one of these shapes with the next bytes. */
// short: the last bytes of a block, as many as REACH of redact.ts
export const BEGUN = new RegExp(
  [
    '(?:(?:hf|api_org|gh[pousr]|rpa)_)(?<a>[A-Za-z0-9]{1,200})',
    '(?:wandb_v1_|github_pat_)(?<b>\\w{1,200})',
    '(?:(?<![A-Za-z0-9])sk-|glpat-)(?<c>[\\w-]{1,200})',
    '(?:AKIA|ASIA)(?<d>[0-9A-Z]{1,16})',
    'eyJ(?<e>[\\w-]{8}[\\w.-]{0,2992})',
    '(?:[?&_;]token=|earer +|--[\\w-]{0,60}(?:token|api_key|password|secret)[= ]|(?:TOKEN|KEY|SECRET|PASSWORD)=)(?<f>[^\\s\'"<>&]{1,2000})',
    '://[^\\s/@:\'"<>]{0,200}:(?=\\S*\\D)(?<g>[^\\s/@\'"<>]{1,500})',
    '(?:wandb|api[_ -]?key)[^\\r\\n]{0,60}?(?<![0-9a-f])(?<h>[0-9a-f]{4,40})',
  ]
    .map((shape) => `(?:${shape})$`)
    .join('|'),
  'd',
);
