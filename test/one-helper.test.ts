// Paged lists, loops over due entries, and ids as bytes each go through one helper. Other readers of a list of the store are listed here
// with their reason.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../..')

function sources(): string[] {
  return ['src', 'packages', 'workers'].flatMap(
    (top) =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !/dist\/|\.generated\.ts$/.test(name))
        .map((name) => join(top, name))
        .filter((file) => !file.startsWith('packages/core/src/search/')), // scans rows without the store
  )
}

function usersOf(pattern: RegExp): string[] {
  return sources()
    .filter((file) => pattern.test(code(file)))
    .toSorted()
}

/** The source without comments. */
function code(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*(\/\/|--).*$/gm, '')
}

const READS_A_LIST =
  /\b(z(rev)?range(bylex|byscore)?|zpop(min|max)|x(rev)?range|xread(group)?|[hsz]?scan|lrange)(Buffer|Stream)?\(|['"](Z(REV)?RANGE(BYLEX|BYSCORE)?|ZINTER|ZUNION|ZPOP(MIN|MAX)|X(REV)?RANGE|XREAD(GROUP)?|[HSZ]?SCAN|LRANGE)['"]/

/** The helper, and why each of the others does without it. */
const LIST_READERS: Readonly<Record<string, string>> = {
  'src/store/redis/paging.ts': 'the helper',
  'src/store/scripts/sorted-page.ts': 'its script',
  'src/store/webhooks/endpoint-states.ts': 'reads which webhooks fail or missed events, a hundred at most',
  'src/store/upkeep/backups.ts': 'a thousand at most, which the script sees to',
  'src/store/audit/audit.ts': 'takes entries from the head of a list, in the step that removes them',
  'src/store/cases/case-events.ts': 'follows streams: waits behind an id',
  'src/store/scripts/cases/case-event.ts': 'reads the time line of one case, a thousand events at most',
  'src/store/images/changes.ts': 'follows a stream by revisions, which have no gaps',
  'src/store/trust/contexts.ts': 'reads all contexts of one organisation, 10,000 at most',
  'src/store/exchange/feed-batches.ts': 'reads the one end that follows another',
  'src/store/exchange/fetch-cursors.ts': 'reads the one place that belongs to a time',
  'src/store/exchange/fetched.ts': 'reads what one key has to be told of, by places that no two have',
  'src/store/organisations/imports.ts': 'reads the refusals of one import whole, 10,000 at most',
  'src/store/webhooks/outbox.ts': 'reads what is left of a stream from its head',
  'src/store/scripts/announce.ts': 'reads the last entry, and the one of a revision',
  'src/store/scripts/trust/appeals.ts': 'reads the last entry, and takes out what ended in the step that finds it',
  'src/store/scripts/trust/end-contexts.ts': 'the ended contexts of one organisation, ten thousand at most',
  'src/store/scripts/trust/match-events.ts': 'reads the one frame that most looks were found by',
  'src/store/scripts/audit.ts': 'reads the last entry',
  'src/store/scripts/organisations/banks.ts': 'erases what belongs to a bank that is gone, in one step',
  'src/store/scripts/organisations/feed-batches.ts':
    'reads the last end, and takes all that waits, which is bounded, in the step that tells it',
  'src/store/scripts/organisations/fetch-cursors.ts': 'reads the last entry',
  'src/store/scripts/images/fetched.ts': 'takes out what a key was told of, in the step that finds it',
  'src/store/scripts/organisations/outbox.ts':
    'reads one entry by its id, and takes out the oldest where there are too many',
  'src/store/scripts/trust/put-trust.ts': 'reads the last entry',
  'src/store/scripts/organisations/webhooks.ts':
    'claims the first that are free, and puts their scores back in the same step',
  'src/store/sealing/seal-ring.ts': 'reads the processes that were heard of in the last 30 seconds',
  'src/store/scripts/trust/strikes.ts': 'reads the last strike of one account',
  'src/store/webhooks/waiting-events.ts': 'reads one entry by its id',
  'src/store/redis/heartbeats.ts': 'reads the processes that were heard of in the last seconds',
}

t.test('one helper reads the lists of the store in pages', async (t) => {
  t.same(usersOf(READS_A_LIST), Object.keys(LIST_READERS).toSorted())
})

/** Every module that processes entries one after another, one of which may be bad. */
const DUE_LOOPS = [
  'src/services/trust/appeals.ts',
  'src/services/banks/bank-erasure.ts',
  'src/services/cases/case-expiry.ts',
  'src/services/cases/case-reminders.ts',
  'src/services/interop/contents.ts',
  'src/services/load/each-due.ts',
  'src/services/cases/notices.ts',
  'src/services/records/record-keeping.ts',
  'src/services/trust/trust.ts',
  'src/services/watch/watch-loading.ts',
  'src/services/watch/comparing.ts',
  'src/services/watch/sweeping.ts',
  'src/services/webhooks/webhook-sending.ts',
  'workers/deliver-webhook.ts',
]

t.test('one helper processes due entries', async (t) => {
  t.same(usersOf(/\bforEachDue\b/), DUE_LOOPS.toSorted())
  // A module that reads due or remaining entries from a store passes them to the helper.
  for (const file of usersOf(/\b\w+\.(due|dueOf|toBeErased)\(/)) t.ok(DUE_LOOPS.includes(file), file)
})

t.test('one helper converts an id to bytes, or refuses it', async (t) => {
  // A module that refuses a text that is no UUID, instead of calling `idBytes` or `idBuffer`, has a helper of its own.
  t.same(usersOf(/\bparseUuid\(.*\n.*=== undefined\)\s*throw|function idBytes\b/), ['packages/core/src/ids.ts'])
})
