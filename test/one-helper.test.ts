// Paged lists, and loops over what is due, each go through one helper. Who reads a list of the store in another way stands here with the reason.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../..')

function sources(): string[] {
  return ['src', 'workers'].flatMap(
    (top) =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.generated.ts'))
        .map((name) => join(top, name))
        .filter((file) => !file.startsWith('src/search/')), // which scans rows, and knows no store
  )
}

function usersOf(pattern: RegExp): string[] {
  return sources()
    .filter((file) => pattern.test(code(file)))
    .toSorted()
}

/** Without comments. */
function code(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*(\/\/|--).*$/gm, '')
}

const READS_A_LIST =
  /\b(z(rev)?range(bylex|byscore)?|zpop(min|max)|x(rev)?range|xread(group)?|[hsz]?scan|lrange)(Buffer|Stream)?\(|['"](Z(REV)?RANGE(BYLEX|BYSCORE)?|ZINTER|ZUNION|ZPOP(MIN|MAX)|X(REV)?RANGE|XREAD(GROUP)?|[HSZ]?SCAN|LRANGE)['"]/

/** The helper, and why each of the others does without it. */
const LIST_READERS: Readonly<Record<string, string>> = {
  'src/store/paging.ts': 'the helper',
  'src/store/scripts/sorted-page.ts': 'its script',
  'src/store/backups.ts': 'a thousand at most, which the script sees to',
  'src/demo/proof.ts': 'reads a store of its own whole, to search it',
  'src/store/audit.ts': 'takes entries from the head of a list, in the step that removes them',
  'src/store/case-events.ts': 'follows streams: waits behind an id',
  'src/store/changes.ts': 'follows a stream by revisions, which have no gaps',
  'src/store/contexts.ts': 'reads all contexts of one organisation, 10,000 at most',
  'src/store/feed-batches.ts': 'reads the one end that follows another',
  'src/store/fetch-places.ts': 'reads the one place that belongs to a time',
  'src/store/fetched.ts': 'reads what one key has to be told of, by places that no two have',
  'src/store/imports.ts': 'reads the refusals of one import whole, 10,000 at most',
  'src/store/outbox.ts': 'reads what is left of a stream from its head',
  'src/store/scripts/announce.ts': 'reads the last entry, and the one of a revision',
  'src/store/scripts/appeals.ts': 'reads the last entry, and takes out what ended in the step that finds it',
  'src/store/scripts/audit.ts': 'reads the last entry',
  'src/store/scripts/banks.ts': 'erases what belongs to a bank that is gone, in one step',
  'src/store/scripts/feed-batches.ts':
    'reads the last end, and takes all that waits, which is bounded, in the step that tells it',
  'src/store/scripts/fetch-places.ts': 'reads the last entry',
  'src/store/scripts/fetched.ts': 'takes out what a key was told of, in the step that finds it',
  'src/store/scripts/outbox.ts': 'reads one entry by its id, and takes out the oldest where there are too many',
  'src/store/scripts/put-trust.ts': 'reads the last entry',
  'src/store/scripts/webhooks.ts': 'claims the first that are free, and puts their scores back in the same step',
  'src/store/seal-ring.ts': 'reads the processes that were heard of in the last 30 seconds',
  'src/store/scripts/strikes.ts': 'reads the last strike of one account',
  'src/store/waiting-events.ts': 'reads one entry by its id',
  'src/store/worker-beats.ts': 'reads the processes that were heard of in the last seconds',
}

t.test('a list of the store is read in pages by one helper', async (t) => {
  t.same(usersOf(READS_A_LIST), Object.keys(LIST_READERS).toSorted())
})

/** Every module that works through entries one after another, of which one may be bad. */
const DUE_LOOPS = [
  'src/services/appeals.ts',
  'src/services/bank-erasing.ts',
  'src/services/case-keeping.ts',
  'src/services/contents.ts',
  'src/services/each-due.ts',
  'src/services/notices.ts',
  'src/services/record-keeping.ts',
  'src/services/trust.ts',
  'src/services/watch-index.ts',
  'src/services/watching.ts',
  'src/services/webhook-sending.ts',
  'workers/deliver-webhook.ts',
]

t.test('what is due is worked through by one helper', async (t) => {
  t.same(usersOf(/\bforEachDue\b/), DUE_LOOPS.toSorted())
  // What asks a store for what is due, or for what is left to do, hands it to the helper.
  for (const file of usersOf(/\b\w+\.(due|dueOf|toBeErased)\(/)) t.ok(DUE_LOOPS.includes(file), file)
})
