// Policies of the page and the console, in addition to the headers of every answer (http/plugins/browser-rules.ts).

/** Headers of every answer of the page. */
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, noarchive',
} as const

/** The only script and style of a document, each as `sha384-…` of its content. */
export interface OwnContent {
  readonly script: string
  readonly style: string
}

/** Repeats the policy's hash requirement, for scripts without an integrity attribute. */
const ONLY_WITH_HASH = { 'integrity-policy': 'blocked-destinations=(script)' } as const

const NO_SCRIPT_FROM_TEXT = "require-trusted-types-for 'script'"

/**
 * Page and console may run the script and use the style with this content, and may load from and request their own origin; nothing else. They may start
 * workers that hash, and play videos that they were given, where the browser cannot decode them otherwise. For a script the hash is that of its element's
 * integrity attribute (CSP 3, external hashes).
 */
export function documentHeaders({ script, style }: OwnContent) {
  const policy = [
    "default-src 'none'",
    `script-src '${script}'`,
    `style-src '${style}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    NO_SCRIPT_FROM_TEXT,
    "worker-src 'self'",
    'media-src blob:',
    'trusted-types tabir',
  ]
  return {
    ...ALWAYS,
    ...ONLY_WITH_HASH,
    'content-security-policy': policy.join('; '),
    'permissions-policy':
      'camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), bluetooth=(), serial=(), browsing-topics=()',
  }
}

/**
 * Policy of the worker. It sees pictures, so it may not connect anywhere, not even to its own origin: `default-src 'none'` without
 * `connect-src`. A worker loaded by URL uses the policy of its own answer.
 */
export const WORKER_HEADERS = {
  ...ALWAYS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'wasm-unsafe-eval'",
    NO_SCRIPT_FROM_TEXT,
    "trusted-types 'none'",
  ].join('; '),
} as const

export const ASSET_HEADERS = { ...ALWAYS, 'content-security-policy': "default-src 'none'" } as const
