import t from 'tap'
import { FrameTable } from '../../src/services/index/frame-table.js'
import { ImageTable } from '../../src/services/index/image-table.js'
import { hashNamed } from '../helpers/hashes.js'

const VIDEO = 16_380
const TIMES = Array.from({ length: 10_000 }, (_, i) => 60 * i)

t.test('frames lead to their video and time, across pages', async (t) => {
  const frames = new FrameTable()
  frames.put(VIDEO, TIMES)
  frames.put(VIDEO + 10_001, [4_294_967_295])
  t.equal(frames.imageOf(VIDEO), VIDEO)
  t.equal(frames.frameOf(VIDEO), undefined)
  t.ok(TIMES.every((atMs, i) => same(frames.frameOf(VIDEO + 1 + i), VIDEO, atMs)))
  t.same(frames.frameOf(VIDEO + 10_002), { video: VIDEO + 10_001, atMs: 4_294_967_295 })
  t.same([frames.countOf(VIDEO), frames.countOf(VIDEO + 10_001), frames.size], [10_000, 1, 10_001])
  t.ok(frames.has(VIDEO, TIMES))
  t.notOk(frames.has(VIDEO, TIMES.slice(1)))
  t.ok(frames.bytes < 7 * 3 * 16_384)
})

t.test('a removed video leaves nothing behind, and the next video stays whole', async (t) => {
  const frames = new FrameTable()
  frames.put(VIDEO, TIMES)
  frames.put(VIDEO + 10_001, [7])
  frames.remove(VIDEO)
  t.equal(frames.size, 1)
  t.equal(frames.imageOf(VIDEO + 1), VIDEO + 1)
  t.same(frames.frameOf(VIDEO + 10_002), { video: VIDEO + 10_001, atMs: 7 })
  frames.remove(VIDEO + 10_001)
  for (const { numbers, atMs } of frames.pages()) t.notOk(numbers.some(Boolean) || atMs.some(Boolean))
})

t.test('restored pages leave out frames of unknown videos', async (t) => {
  const frames = new FrameTable()
  frames.put(VIDEO, TIMES)
  frames.put(VIDEO + 10_001, [7])
  const copy = new FrameTable()
  for (const page of frames.pages()) copy.restore(structuredClone(page), (video) => video === VIDEO)
  t.equal(copy.size, 10_000)
  t.ok(copy.has(VIDEO, TIMES))
  t.equal(copy.frameOf(VIDEO + 10_002), undefined)
  const [page] = frames.pages()
  if (page === undefined) throw new Error('it has pages')
  t.throws(() => copy.restore(page, () => true), RangeError)
  t.throws(() => new FrameTable().restore({ ...page, atMs: page.atMs.subarray(1) }, () => true), RangeError)
})

t.test('ordinals reserved for frames do not count as removed images', async (t) => {
  const table = new ImageTable()
  const id = (n: number) => hashNamed(`${n}`).subarray(0, 16)
  const facts = { bank: 'cases', tier: 'verified', category: undefined } as const
  table.add(id(0), facts)
  table.reserve(200_000)
  t.equal(table.add(id(1), facts), 200_001, 'after all of them, four pages on')
  t.equal(table.find(id(1)), 200_001)
  t.equal(table.size, 2)
  t.notOk(table.isSparse(200_000))
  t.ok(table.isSparse(0), 'once they are removed')
})

function same(frame: ReturnType<FrameTable['frameOf']>, video: number, atMs: number): boolean {
  return frame?.video === video && frame.atMs === atMs
}
