// Names that were replaced by the terms of the field. Each has one successor and returns nowhere: not in code, documents,
// messages or the API.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const RETIRED: Readonly<Record<string, string>> = {
  'store-away': 'store-unavailable',
  'hashing-away': 'hashing-unavailable',
  'index-cold': 'index-loading',
  'proof-needed': 'proof-of-work-required',
  'kind-unfit': 'organisation-kind-forbidden',
  'ceiling-reached': 'quota-exceeded',
  'signal-struck': 'signal-invalidated',
  'signal-not-struck': 'signal-not-invalidated',
  'clocks/overdue': 'deadlines/overdue',
  tabir_store_away: 'tabir_store_unavailable',
  StoreAwayError: 'StoreUnavailableError',
  TalliedDay: 'DailyStatistics',
  struckSignals: 'invalidatedSignals',
  'LIMITS.knocking': "LIMITS['case-login']",
  'LIMITS.harvesting': "LIMITS['feed-requests']",
  TABIR_SNAPSHOT_EVERY_S: 'TABIR_SNAPSHOT_INTERVAL_S',
  TABIR_ERASE_EVERY_S: 'TABIR_ERASE_INTERVAL_S',
  heardAgoMs: 'stalenessMs',
  everyS: 'intervalS',
  tabir_index_heard_seconds: 'tabir_index_staleness_seconds',
  tabir_workers_lacking: 'tabir_workers_missing_isolation',
  tabir_minors_turned_away_total: 'tabir_minors_rejected_total',
  tabir_certificate_refused: 'tabir_certificate_rejected',
  RECORD_REFUSALS: 'RECORD_REJECTIONS',
  TurnsOfLoop: 'EventLoopScheduler',
  giveWay: 'yieldIfNeeded',
  inTurns: 'runCooperatively',
  waysOf: 'orientationsOf',
  lotsOf: 'orientationGroupsOf',
  heardSoon: 'waitUntilFresh',
  enterAgain: 'reauthorize',
  HandoffDesk: 'PendingImages',
  onTrouble: 'onError',
  partyOf: 'pseudonymOf',
  partiesWith: 'createPseudonyms',
  sightingsKeptBy: 'createMatchRecorder',
  veilFrom: 'createBitPermutation',
  kinOf: 'subjectGroupOf',
  Witnesses: 'Corroborations',
  witness: 'a corroborating view',
  'ref-unfit': 'ref-malformed',
  "'parties'": "'pseudonyms'",
  'shortage="turns"': 'shortage="event-loop"',
  'PROBING=tell': 'PROBING=notify',
  ceilingsOf: 'quotasOf',
  clocksIn: 'createDeadlineStore',
  helpedBy: 'assistedBy',
  CONFINES: 'ISOLATION_LAYERS',
  findCage: 'findSandboxCommand',
  resealAll: 'reencryptAll',
  MOST_: 'MAX_',
  LEAST_: 'MIN_',
  everyMs: 'intervalMs',
  answersWithinMs: 'commandTimeoutMs',
  awayInARow: 'transientInARow',
  AWAY_: 'UNREACHABLE_',
  graceMs: 'maxWaitMs',
  endSilence: 'endWait',
  isDealing: 'isScheduled',
  'request.spent': 'request.chargeQuota',
  createResubmissionDigests: 'createBlockChanges',
  'not-let-in': 'credentials-rejected',
  'leads-elsewhere': 'next-page-outside-feed',
  'goes-in-circles': 'pages-repeat',
  'not-taken': 'import-rejected',
  'answer-refused': 'request-rejected',
  'answer-unreadable': 'response-invalid',
  'bank-not-of-an-exchange': 'bank-without-exchange',
  'bank-not-from-here': 'bank-content-foreign',
  'canary.met': 'canary.matched',
  'pin-asked': 'pin-requested',
  inAMillion: 'perMillion',
  nextTryAt: 'nextAttemptAt',
  whoever: 'anybody, or the name of who it is',
  Whoever: 'anybody, or the name of who it is',
}
const root = resolve(import.meta.dirname, '../..')
const PLACES = [
  'src',
  'packages',
  'workers',
  'page',
  'console',
  'test',
  'bench',
  'fuzz',
  'docs',
  'deploy',
  'examples',
  'supply',
  'demo',
  '.github',
  '.ci',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'NOTICE',
  'docker-compose.yml',
  'openapi.yaml',
]
const TEXT = /\.(ts|tsx|mjs|js|md|json|csv|svg|ya?ml|sh|html|css|service|timer|conf)$/

t.test('retired words are in no file', async (t) => {
  const files = PLACES.flatMap(filesUnder)
  t.ok(files.length > 1000, 'all files are read')
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [word, successor] of Object.entries(RETIRED))
      if (text.includes(word)) t.fail(`${file}: ${word} is ${successor} now`)
  }
})

function filesUnder(place: string): string[] {
  if (statSync(join(root, place)).isFile()) return [place]
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .map((name) => join(place, name))
    .filter((name) => TEXT.test(name) && !name.includes('retired-words') && !/node_modules|dist\//.test(name))
}
