// The benchmark of robustness is run by others with their own photographs and edits: its options and its output.

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { scene } from '../helpers/pictures.js'

const BENCH = resolve(import.meta.dirname, '../../../bench/robustness.mjs')
const Percents = z.record(z.string(), z.number().min(0).max(100))
const Line = z.object({
  photos: z.int(),
  queries: z.int(),
  pairs: z.int(),
  falsePairs: z.int(),
  rowsPerImage: z.number(),
  needlesPerQuery: z.number(),
  msPerQuery: z.number(),
  groups: Percents,
  edits: Percents,
})

const LAYOUT = `
import sharp from 'sharp'
export const CATALOG = [{ id: 'mine_small', group: 'mine', usesOthers: false }, { id: 'mine_plain', group: 'mine', usesOthers: false }]
export async function* variants(buffer, seed, { only }) {
  if (only.includes('mine_small')) yield { id: 'mine_small', group: 'mine', image: await sharp(buffer).resize(200).jpeg().toBuffer() }
  if (only.includes('mine_plain')) yield { id: 'mine_plain', group: 'mine', image: await sharp(buffer).resize(8).resize(200).blur(20).jpeg().toBuffer() }
}
`

t.test('the robustness benchmark prints one line of figures, for its own edits and those of a module', async (t) => {
  const folder = await photographs(t)
  const layouts = join(folder, 'mine.mjs')
  writeFileSync(layouts, LAYOUT)
  const csv = join(folder, 'recall.csv')

  const { stdout, status } = await run(
    ...['--photos', folder, '--stage', 'hash', '--layouts', layouts, '--csv', csv],
    ...['--variants', 'jpeg_q75,border_white_5,mine', '--json'],
  )

  t.equal(status, 0)
  const [line, ...rest] = stdout.trim().split('\n')
  t.same(rest, [], 'one line and nothing else')
  const figures = Line.parse(JSON.parse(line ?? ''))
  t.match(figures, { photos: 2, queries: 8, pairs: 8, falsePairs: 0 })
  t.same(figures.edits, { jpeg_q75: 100, border_white_5: 100, mine_small: 100, mine_plain: 0 })
  t.same(figures.groups, { light: 100, medium: 100, mine: 50, all: 100 }, '`all` covers its own edits only')
  t.match(readFileSync(csv, 'utf8'), /mine_small/)
})

t.test(
  'among many images the robustness benchmark counts what the service finds there, by its grades for an upload',
  async (t) => {
    const folder = await photographs(t)
    const csv = join(folder, 'recall.csv')
    const options = ['--photos', folder, '--stage', 'hash', '--variants', 'jpeg_q75,rot_5_fill', '--csv', csv, '--json']
    const { status, stderr } = await run(...options, '--among', '1,10000000')
    t.equal(status, 0, stderr)
    const [, ...rows] = readFileSync(csv, 'utf8').trim().split('\n')
    t.same(
      rows.map((row) => row.split(',').slice(0, 6)),
      [
        ['jpeg_q75', 'light', '2', '100', '100', '100'],
        ['rot_5_fill', 'geometric', '2', '100', '100', '0'],
      ],
    )
  },
)

t.test('the robustness benchmark rejects wrong options in one line, before it measures', async (t) => {
  const folder = await photographs(t)
  const empty = mkdtempSync(join(tmpdir(), 'tabir-bench-empty-'))
  t.teardown(() => rmSync(empty, { recursive: true }))
  const broken = join(folder, 'broken.mjs')
  writeFileSync(broken, 'export const CATALOG = 3')

  for (const [words, said] of [
    [[], /^usage: npm run bench robustness/],
    [['--json'], /--photos FOLDER is missing/],
    [['--photos', empty], /holds no pictures/],
    [['--photos', join(folder, 'nowhere')], /there is no folder/],
    [['--photos', folder, '--variants', 'jpeg_q75,unheard'], /no edit and no group named unheard/],
    [['--photos', folder, '--layouts', broken], /must export CATALOG/],
    [['--photos', folder, '--limit', '0'], /--limit must be an integer from 1/],
    [['--photos', folder, '--unheard'], /unheard/],
  ] as const) {
    const { stderr, stdout, status } = await run(...words)
    t.equal(status, 2, stderr)
    t.match(stderr, said)
    t.equal(stdout, '')
    t.notMatch(stderr, / {4}at /, 'no stack')
  }
})

/** Two unrelated pictures in their own folder. */
async function photographs(t: Test): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const seed of [300, 301]) {
    const { name, bytes } = await scene(seed)
    writeFileSync(join(folder, `${seed}-${name}`), bytes)
  }
  return folder
}

function run(...words: readonly string[]) {
  return new Promise<{ stdout: string; stderr: string; status: number }>((done) => {
    execFile(process.execPath, [BENCH, ...words], (error, stdout, stderr) => {
      done({ stdout, stderr, status: error === null ? 0 : Number(error.code) })
    })
  })
}
