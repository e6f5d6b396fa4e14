// Descriptions of the settings. test/settings.test.ts writes docs/settings.md from them. A setting without a description does not compile.

import type { Variable } from './variables.js'

/** Variables that we read but that are not settings of Tabir. */
type NotOurs = 'PATH' | 'NODE_OPTIONS' | 'NODE_TLS_REJECT_UNAUTHORIZED'
export type SettingName = Exclude<Variable, NotOurs>

interface SettingDescription {
  /** Replaces the schema's default where it depends on something or is hard to read. */
  readonly shownDefault?: string
  readonly meaning: string
}

export const SETTING_DESCRIPTIONS: Readonly<Record<SettingName, SettingDescription>> = {
  TABIR_HOST: { meaning: 'address that the api listens on' },
  TABIR_PORT: { meaning: 'its port; 0 takes a free one' },
  TABIR_DATA_DIR: { meaning: 'folder of the private Redis and the key file' },
  REDIS_URL: {
    meaning:
      'an existing Redis: `redis://`, `rediss://` or `redis+sentinel://` ([runbook](runbook.md#more-than-one-redis)). No private one is started then',
  },
  REDIS_SOCKET: { meaning: 'the same, as the path of a unix socket; not together with `REDIS_URL`' },
  TABIR_REDIS_BIN: { meaning: 'the `redis-server` or `valkey-server` to run; otherwise it is searched for' },
  TABIR_NPM_REDIS: { meaning: '`off`: never run the Redis that comes with npm' },
  TABIR_HANDOFF_HOST: { meaning: 'address of the private listener from which workers fetch pictures' },
  TABIR_HANDOFF_PORT: { meaning: 'its port; 0 takes a free one' },
  TABIR_HANDOFF_TLS_CERT: { meaning: 'for apis, PEM files: workers connect over TLS only' },
  TABIR_HANDOFF_TLS_KEY: { meaning: 'its key' },
  TABIR_HANDOFF_CA: { meaning: 'for workers, a PEM file: the only CA that apis’ certificates may be signed by' },
  TABIR_MAX_IMAGE_BYTES: { shownDefault: '20 MiB', meaning: 'largest picture file' },
  TABIR_MAX_IMAGES_PER_REQUEST: { meaning: 'pictures in one upload' },
  TABIR_MAX_INFLIGHT_BYTES: {
    shownDefault: '256 MiB',
    meaning: 'bytes of pictures that one api holds at a time; at least `TABIR_MAX_IMAGE_BYTES`',
  },
  TABIR_HASHERS: { shownDefault: 'number of cores', meaning: 'child processes that decode and hash' },
  TABIR_HASHER_MEMORY_MB: { meaning: 'memory limit of each' },
  TABIR_MAX_INFLIGHT_VIDEO_BYTES: {
    shownDefault: '400 MiB',
    meaning:
      'bytes of uploaded videos that one api holds at a time, and half of them for one caller; files larger than that, or than 200 MiB, are refused',
  },
  TABIR_VIDEO_HASHERS: {
    meaning: 'videos that workers hash at a time, each in two child processes and with up to 2 GB; others wait',
  },
  TABIR_FFMPEG: {
    meaning:
      'the `ffmpeg` (5.1 or later) with which workers decode videos; otherwise it is searched for. Without one, videos are taken as hashes only. Debian: `apt-get install ffmpeg`',
  },
  TABIR_HEIC: {
    meaning:
      '`off`: HEIC is rejected, and the optional package `libheif-js` may be left out ([why](decisions/0127-make-heic-optional.md)). The same for apis and workers',
  },
  TABIR_SEAL_KEYS: {
    shownDefault: 'the key file',
    meaning: '`id:base64` of 32 bytes, several separated by commas: the first encrypts, all decrypt',
  },
  TABIR_SEAL_KEY_FILE: {
    shownDefault: '`seal-keys` in the data folder',
    meaning: 'the key file, made at the first start; not together with `TABIR_SEAL_KEYS`',
  },
  TABIR_WITHDRAWALS_DIR: {
    shownDefault: '`withdrawals` in the data folder',
    meaning: 'where an api logs withdrawals for restores; better on another disk',
  },
  TABIR_SNAPSHOT_INTERVAL_S: { meaning: 'how often an api saves its index, sealed, for quick restarts; 0: never' },
  TABIR_CASE_RETENTION_DAYS: { meaning: 'life of a case, from its opening or last renewal' },
  TABIR_AUDIT_KEEP_DAYS: { meaning: 'how long audit entries are kept, at least 90; 0: for ever' },
  TABIR_WITHDRAWALS_KEEP_DAYS: {
    meaning: 'how long the log of withdrawals is kept, at least 35 and longer than any backup; 0: for ever',
  },
  TABIR_ERASE_INTERVAL_S: {
    meaning: 'how often workers rewrite Redis’s log after cases ended: how long erased hashes stay in it',
  },
  TABIR_MAX_IMAGES_PER_CASE: { meaning: 'pictures of one case' },
  TABIR_MAX_IMAGES_PER_NEW_CASE: {
    shownDefault: 'all; public: 200',
    meaning: 'pictures of an unattested case on its first day, and as many more each day',
  },
  TABIR_MAX_UNATTESTED_HASHES_PER_DAY: {
    shownDefault: 'all; public: 10,000,000',
    meaning: 'hashes sent in a day to all unattested cases; beyond a fifth, only small ones get more',
  },
  TABIR_MAX_SIGNALS_PER_ORG_PER_DAY: { meaning: 'signals that one organisation submits in a day; 0: no limit' },
  TABIR_MAX_WATCHES_PER_ORG: {
    meaning: 'pictures one organisation watches for; videos count once per 8 hashes; every api holds all in memory',
  },
  TABIR_PROOF_ROUNDS: {
    shownDefault: '0; public: 1000',
    meaning: 'proof of work for opening a case, in derivations of half a millisecond; 0: none',
  },
  TABIR_EXTENDED_PROTECTION: {
    meaning:
      '`on`: a person may choose for her case that local features are kept and matched too ([what that finds](robustness.md#by-details)); `off`: not offered',
  },
  TABIR_COUNTRY: {
    meaning: 'two letters, such as `MY`: whose helplines come first',
  },
  TABIR_PAGE_EXIT_URL: { meaning: 'where the page’s way out leads' },
  TABIR_OPERATOR_NAME: {
    meaning: 'who runs the service; required when public, with the next three',
  },
  TABIR_OPERATOR_LINK: { meaning: 'its `https://`, `mailto:` or `tel:`' },
  TABIR_OPERATOR_COUNTRY: { meaning: 'its country: `MY`' },
  TABIR_OPERATOR_AUTHORITY: { meaning: 'who takes complaints about it' },
  TABIR_PLATFORM_NAMES: { meaning: 'platforms that the page names' },
  TABIR_NOTICE_CONTACTS: {
    meaning: 'organisations that the page offers as contact of a notice',
  },
  TABIR_PAGE_BANNER: { meaning: 'text above each page, such as [news of a breach](runbook.md#a-breach)' },
  TABIR_CONTACT_NAME: { meaning: 'an organisation that helps those who cannot use the page' },
  TABIR_CONTACT_LINK: { meaning: 'its `https://`, `mailto:` or `tel:`' },
  TABIR_WEBHOOK_ORIGINS: {
    meaning: 'origins that webhooks may use although private or without TLS: `http://10.0.0.5:8000`',
  },
  TABIR_FETCH_FROM: {
    meaning:
      'from where HMA’s routes may fetch pictures: `public`, origins, or both ([interop](interop.md#pictures-by-their-address))',
  },
  TABIR_EXCHANGES_FILE: { meaning: 'pulled feeds and reconcilers ([runbook](runbook.md#feeds-of-other-systems))' },
  TABIR_URL: { shownDefault: 'the api that runs here', meaning: 'the api that the command line and examples use' },
  TABIR_API_KEY: {
    meaning: 'its key, for `tabir import`, `export`, `exchange`, `index status` and the [examples](../examples)',
  },
  TABIR_CORS_ORIGINS: { meaning: 'origins whose pages may read answers, exactly' },
  TABIR_TRUST_PROXY: {
    meaning: 'proxies whose `X-Forwarded-For` is trusted, by address or network, or `none`; required with public exposure',
  },
  TABIR_TLS_CERT: { meaning: 'PEM file: the api speaks TLS itself' },
  TABIR_TLS_KEY: { meaning: 'its key' },
  TABIR_EXPOSURE: { meaning: '`public`: the strict limits of `src/http/limit-table.ts`, for an api that anybody can reach' },
  TABIR_FEED_DELAY_MINUTES: {
    meaning:
      'how long the feed holds a case’s picture at most to mix it with others, 0 to 1440; queries and withdrawals never wait',
  },
  TABIR_PROBING: {
    shownDefault: '`notify`; public: `limit`',
    meaning: 'what is done about an organisation that searches for stored hashes',
  },
  TABIR_GATE_TIERS: {
    meaning: 'the lowest tier for which `POST /v1/verdict` blocks an upload; `self-reported` blocks what anybody registers',
  },
  TABIR_MAX_QUERIES_PER_ORG_PER_DAY: { meaning: 'queries of one organisation in a day; 0: as the exposure says' },
  TABIR_TRACES_URL: { meaning: 'OTLP over HTTP for traces: `http://127.0.0.1:4318/v1/traces`' },
  TABIR_LOG_LEVEL: { meaning: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`' },
  TABIR_LOG_SAMPLE: {
    meaning: 'share of successful requests to log, such as `0.01` ([log retention](runbook.md#log-retention))',
  },
  TABIR_ENV: { meaning: 'label in new API keys: `tbr_live_…`' },
}
