// The look-alike benchmark measures false matches: what it counts, and which options it refuses.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'

const BENCH = resolve(import.meta.dirname, '../../../bench/lookalikes.mjs')
const Grades = z.object({ flagged: z.int(), exact: z.int(), strong: z.int(), near: z.int() })
const Copies = z.object({ number: z.int(), copyOfOriginal: z.int().min(1) }).transform(({ number }) => number)
const Group = Grades.extend({ queries: z.int(), pairs: z.int(), copies: Copies.optional() })
const Figures = z.object({ groups: z.record(z.string(), Group), recallLost: z.number().nullable() })

t.test(
  'the look-alike benchmark counts flagged queries of each group and the recall lost since an earlier run',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const conditions = { set: 'a', seed: '1', size: 2, recall: 0, photos: 'drawn' }
    const before = join(folder, 'before.json')
    writeFileSync(before, JSON.stringify({ conditions, groups: {} }))

    const words = [
      '--size',
      '2',
      '--recall',
      '0',
      '--only',
      'chats,rounded corners 8',
      '--hashes',
      '--against',
      before,
      '--json',
    ]
    const { stdout, stderr, status } = await run(...words)

    t.equal(status, 0, stderr)
    const { groups, recallLost } = Figures.parse(JSON.parse(stdout))
    const none = { flagged: 0, exact: 0, strong: 0, near: 0 }
    const counts = { queries: 2, pairs: 2, ...none }
    t.same(
      groups,
      { chats: counts, 'rounded corners 8 %': { ...counts, copies: 2 } },
      'one is registered and the other queried, and a true copy is found',
    )
    t.equal(recallLost, 0)
  },
)

t.test('the look-alike benchmark rejects wrong options in one line, before it measures', async (t) => {
  for (const [words, said] of [
    [['--photos', import.meta.dirname], /has 0 photographs, and 90 are needed/],
    [['--only', 'unheard'], /no group begins with unheard/],
  ] as const) {
    const { stderr, stdout, status } = await run(...words)
    t.equal(status, 2, stderr)
    t.match(stderr, said)
    t.equal(stdout, '')
  }
})

function run(...words: readonly string[]) {
  return new Promise<{ stdout: string; stderr: string; status: number }>((done) => {
    execFile(process.execPath, [BENCH, ...words], (error, stdout, stderr) => {
      done({ stdout, stderr, status: error === null ? 0 : Number(error.code) })
    })
  })
}
