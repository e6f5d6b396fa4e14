// Memory of removed images is used again: pages of ordinals without an image are released. Counts bytes of pages, not of the process.

import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { PAGE_BYTES, PAGE_IMAGES } from '../../src/services/index/image-page.js'
import { hashNamed } from '../helpers/hashes.js'

const FRAMES = 10_000
/** Videos that fill more than one page of ordinals. */
const VIDEOS = Math.ceil((PAGE_IMAGES * 1.2) / FRAMES)
const DETAILS = { width: 100, height: 100, subjectGroup: 7, rows: [{ hash: hashNamed('detail'), place: 1, pose: 2 }] }

function idOf(name: string): string {
  const bytes = Uint8Array.from(hashNamed(name).subarray(0, 16))
  bytes[6] = 0x80
  bytes[8] = 0x80
  return formatUuid(bytes)
}

/** One of its frames has a hash. */
function video(name: string): RegisteredImage {
  return {
    bank: 'bank',
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [{ type: 'pdq', view: 'whole', quality: 100, hash: hashNamed(name), frame: FRAMES - 1 }],
    video: { durationMs: FRAMES, framesAtMs: Array.from({ length: FRAMES }, (_, i) => i) },
    details: DETAILS,
  }
}

function tidy(catalogue: Catalogue): void {
  while (catalogue.tidy());
}

function isFound(catalogue: Catalogue, name: string): boolean {
  const searcher = catalogue.searcher()
  const search = searcher.search('pdq', [hashNamed(name)], 0)
  let step = search.next()
  while (step.done !== true) step = search.next()
  searcher.release()
  return step.value.some(({ image }) => catalogue.image(image)?.id === idOf(name))
}

t.test('puts and removals leave no page behind, and what stays is found', async (t) => {
  const catalogue = new Catalogue()
  catalogue.put(idOf('first'), video('first'))
  let bytes: number | undefined
  for (let round = 0; round < 2; round++) {
    const names = Array.from({ length: VIDEOS }, (_, i) => `${round} ${i}`)
    for (const name of names) catalogue.put(idOf(name), video(name))
    t.ok(names.every((name) => isFound(catalogue, name)))
    for (const name of names) catalogue.remove(idOf(name))
    tidy(catalogue)
    const ledger = catalogue.index('pdq').bytes + catalogue.index('detail').bytes
    t.ok(catalogue.imageBytes < 4 * PAGE_BYTES, `${catalogue.imageBytes} bytes`)
    if (round > 0) t.ok(catalogue.imageBytes + ledger <= (bytes ?? 0), 'no more than after the first round')
    bytes ??= catalogue.imageBytes + ledger + PAGE_BYTES
    t.ok(isFound(catalogue, 'first'))
    t.notOk(isFound(catalogue, names[0] ?? ''))
  }
  t.equal(catalogue.images, 1)

  const copy = new Catalogue()
  for (const piece of catalogue.dump()) for (const _ of copy.restore(piece));
  tidy(copy)
  t.ok(copy.isRestored && isFound(copy, 'first'))
  t.ok(copy.imageBytes <= catalogue.imageBytes, 'a dump does not bring the pages back')
  copy.put(idOf('next'), video('next'))
  t.ok(isFound(copy, 'next'))
})

t.test('a search that needs replaced rows still has them', async (t) => {
  const catalogue = new Catalogue()
  catalogue.put(idOf('a'), video('a'))
  const searcher = catalogue.searcher()
  catalogue.put(idOf('a'), video('b'))
  for (let i = 0; i < VIDEOS; i++) catalogue.put(idOf(`${i}`), video(`${i}`))
  for (let i = 0; i < VIDEOS; i++) catalogue.remove(idOf(`${i}`))
  catalogue.put(idOf('a'), video('c'))
  tidy(catalogue)
  const search = searcher.search('pdq', [hashNamed('a')], 0)
  let step = search.next()
  while (step.done !== true) step = search.next()
  t.same(
    step.value.map(({ image }) => searcher.image(image)?.id),
    [idOf('a')],
  )
  searcher.release()
  tidy(catalogue)
  t.ok(catalogue.imageBytes < 4 * PAGE_BYTES)
})
