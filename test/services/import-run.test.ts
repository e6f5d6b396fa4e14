// One attempt to import a file whose records take several lines: how much it buffers, and where the next attempt
// continues.

import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import type { BankChange } from '../../src/domain/organisations/bank-change.js'
import type { ImportProgress, NotedLines } from '../../src/domain/organisations/bank-import.js'
import { createVpdqReader } from '../../src/exchange/vpdq-lines.js'
import { ImportRun } from '../../src/services/intake/import-run.js'

const NOTHING_YET: ImportProgress = {
  ...{ state: 'running', problem: undefined, format: undefined, startedAtMs: 0, updatedAtMs: 0, lines: 0 },
  ...{ accepted: 0, removed: 0, notFound: 0, categoriesIgnored: 0, rejected: 0, rejectedFor: {}, digest: '' },
}

/** @param most how many lines arrive. */
async function attempt(lines: readonly string[], before = NOTHING_YET, most = lines.length) {
  const batches: (readonly BankChange[])[] = []
  let saved = before
  const notes: NotedLines[] = []
  const run = new ImportRun(before, createHash('sha256'), {
    async take(changes) {
      batches.push(changes)
      return { removed: 0, revision: 0, invalidatedAt: new Set(), absentAt: new Set() }
    },
    settled: async () => {},
    async checkpoint(progress, noted) {
      saved = progress
      notes.push(...noted)
      return true
    },
    now: () => 0,
  })
  for (const [i, text] of lines.slice(0, most).entries()) {
    run.see({ line: i + 1, text })
    await run.applyIfDue()
  }
  if (most < lines.length) await run.stop('upload-incomplete')
  else await run.end()
  return { batches, saved, notes }
}

const frame = (number: number, hash = randomBytes(32).toString('hex')) => `${number},100,${hash},${number}.0`
const idsOf = (batches: readonly (readonly BankChange[])[]) =>
  batches.flat().map((change) => (change.kind === 'remove-id' ? '' : change.signal.signal.hash.toString()))

t.test('videos of a file are applied while it arrives, and a later attempt continues between two of them', async (t) => {
  const lines = Array.from({ length: 2600 }, (_, i) => [
    frame(0),
    i % 7 === 0 ? frame(1, 'x') : frame(1),
    'no frame',
    '',
  ]).flat()
  const whole = await attempt(lines)
  t.match(whole.saved, { state: 'done', lines: lines.length, accepted: 2600, rejected: 2600 + 372 })
  t.ok(
    whole.batches.every((changes) => changes.length <= 1000),
    'at most one batch is buffered',
  )
  for (const most of [3, 4600, 4601, 4602, 4603, 9001]) {
    const first = await attempt(lines, NOTHING_YET, most)
    const second = await attempt(lines, first.saved)
    t.same([first.saved.lines % 4, second.saved], [0, whole.saved], `after ${most} lines`)
    t.same(idsOf([...first.batches, ...second.batches]), idsOf(whole.batches))
    t.same([...first.notes, ...second.notes], whole.notes)
  }
  t.ok((await attempt(lines, NOTHING_YET, 9001)).saved.lines > 0)
})

t.test('a video with too many bad lines is rejected, with a bounded number of notes', (t) => {
  const reader = createVpdqReader()
  reader.read(frame(0), 1)
  const noted = Array.from({ length: 50_000 }, (_, i) => reader.read('no frame', i + 2)).flat()
  t.equal(noted.length, 40_000)
  t.match(noted.at(-1), { record: { kind: 'rejected', why: 'record-too-long' } })
  t.same(reader.end(50_001), [])
  t.end()
})
