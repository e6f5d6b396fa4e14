// Details that many unrelated pictures share find none of them.

import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import t from 'tap'
import { detailsWith } from '../../packages/hash/src/details/details.js'
import type { DetailRows } from '../../packages/hash/src/details/rows.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createBitPermutation } from '../../src/services/matching/details/bit-permutation.js'
import { createCommonRows } from '../../src/services/matching/details/common-rows.js'
import { chosenRows } from '../../src/services/matching/details/detail-rows.js'
import { drawn } from '../hash/synthetic.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const permutation = createBitPermutation(Buffer.alloc(32, 7))
const common = createCommonRows(permutation)
const sheets = new URL('../../../bench/decoration/drawings.mjs', import.meta.url)
const { drawing }: { drawing: (sheet: number) => string } = await import(sheets.href)

/** The decoration rows come from the sheets 0…149. Every third is of icons and stickers. */
const UNSEEN_SHEETS = [3000, 3003, 3006, 3009]

t.test('a picture of nothing but app graphics gives no rows, in whatever order they are drawn', async (t) => {
  for (const sheet of UNSEEN_SHEETS) {
    const ranked = rankedOf(await pixelsOf(drawing(sheet)))
    t.ok(ranked.rows.length >= 24)
    t.same(chosen(ranked).rows, [], `sheet ${sheet}`)
  }
})

t.test('a picture with stickers on it gives rows of its own only', async (t) => {
  const own = rankedOf(drawn(1, 480, 480))
  const stuck = rankedOf(await pixelsOf(drawing(UNSEEN_SHEETS[0] ?? 0))).rows.slice(0, own.rows.length - 1)

  const { rows } = chosen({ ...own, rows: [...stuck, ...own.rows] })
  t.ok(rows.length >= Math.min(8, own.rows.length), 'although all stickers are ranked before it')
  t.notOk(rows.some(({ hash }) => common.isDecoration(hash)))
})

t.test('a picture with content of its own gives sixteen rows, or all that it has', async (t) => {
  for (const seed of [1, 2, 3]) {
    const ranked = rankedOf(drawn(seed, 480, 360))
    t.ok(ranked.rows.length >= 8)
    t.equal(chosen(ranked).rows.length, Math.min(16, ranked.rows.length))
  }
})

t.test('rows of the bundled photographs are background, and rows of the bundled drawings are decoration', async (t) => {
  const rowOf = (file: string) =>
    permutation.hash(
      hashFromBytes(readFileSync(new URL(`../../src/services/matching/details/${file}`, import.meta.url)), 32),
    )
  const [background, decoration] = [rowOf('background-rows.bin'), rowOf('decoration-rows.bin')]
  t.same([common.isInBackground(background), common.isDecoration(background)], [true, false])
  t.same([common.isInBackground(decoration), common.isDecoration(decoration)], [false, true])
})

t.test('the choice of rows does not depend on other registered pictures; background rows are chosen last', async (t) => {
  const ranked = rankedOf(drawn(3, 480, 360))
  const [first, second] = ranked.rows
  const catalogue = new Catalogue()
  const image = {
    bank: 'cases',
    tier: 'verified',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [],
  } as const
  const shared = ranked.rows.slice(0, 1)
  catalogue.put('01234567-89ab-7def-8123-456789abcdef', { ...image, details: { ...ranked, rows: shared, subjectGroup: 9 } })

  t.same(
    chosen(ranked, { catalogue, subjectGroup: 1 }),
    chosen(ranked),
    'a difference would reveal that the other picture is registered',
  )

  const inBackground = { isDecoration: () => false, isInBackground: (row: unknown) => row === first?.hash }
  t.same(chosen(ranked, { common: inBackground }).rows[0], second, 'a row of the bundled photographs goes last')
})

function chosen(
  ranked: DetailRows,
  { catalogue = new Catalogue(), subjectGroup = 1, common: known = common } = {},
): DetailRows {
  const choosing = chosenRows({ searcher: catalogue.searcher(), common: known }, ranked, subjectGroup)
  let step = choosing.next()
  while (step.done !== true) step = choosing.next()
  return step.value
}

function rankedOf(pixels: Pixels): DetailRows {
  return permutation.details(details.register(pixels)).ranked
}

async function pixelsOf(picture: string | Buffer): Promise<Pixels> {
  const { data, info } = await sharp(Buffer.from(picture)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: 3 }
}
