// Videos of a feed follower: each frame matches by itself with its time, and all are removed together.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { SignalType } from '../../packages/core/src/matching/signal-types.js'
import { loadHeld, saveHeld } from '../../packages/feed/src/file.js'
import { type AskedSignal, Held } from '../../packages/feed/src/held.js'
import { FeedError, parseLine } from '../../packages/feed/src/parse-lines.js'
import { formatHash, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { randomHashText, withBitsFlipped } from '../helpers/service.js'

interface Row {
  readonly type: SignalType
  readonly view: string
  readonly hash: string
  readonly atMs?: number
}

const line = (id: string, signals: readonly Row[], more: object = { video: { durationMs: 9000 } }) =>
  JSON.stringify({ op: 'upsert', id, bank: 'mine', tier: 'verified', category: null, disputed: false, ...more, signals })
const pdq = (hash: string, atMs?: number): Row => ({ type: 'pdq', view: 'whole', hash, ...(atMs !== undefined && { atMs }) })
const asked = (type: SignalType, text: string): AskedSignal => {
  const hash = parseSignalHash(type, text)
  if (hash === undefined) throw new Error('no hash')
  return { type, hash }
}
const hashes = Array.from({ length: 4 }, randomHashText)
const md5 = randomBytes(16).toString('hex')
const film = () => line('film', [...hashes.map((hash, i) => pdq(hash, 2250 * i)), { ...pdq(md5), type: 'video_md5' }])

t.test('a picture matches a frame of a video with its time, the file its MD5, and a tombstone removes both', async (t) => {
  const held = new Held()
  held.apply(parseLine(film()))
  held.apply(parseLine(line('picture', [pdq(withBitsFlipped(hashes[1] ?? '', 4))], {})))
  t.equal(held.size, 2)
  for (const [i, hash] of hashes.entries()) {
    const [found] = held.match([asked('pdq', withBitsFlipped(hash, 2))]).filter(({ id }) => id === 'film')
    t.match(found, { atMs: 2250 * i, distanceBits: 2, video: { durationMs: 9000 } })
  }
  t.same(
    held.match([asked('pdq', hashes[1] ?? '')]).map(({ id, atMs }) => [id, atMs]),
    [
      ['film', 2250],
      ['picture', undefined],
    ],
  )
  t.match(held.match([asked('video_md5', md5)]), [{ id: 'film', signalType: 'video_md5', distanceBits: 0 }])
  t.notOk('atMs' in (held.match([asked('video_md5', md5)])[0] ?? {}))
  const both = held.match([
    asked('pdq', withBitsFlipped(hashes[0] ?? '', 9)),
    asked('pdq', withBitsFlipped(hashes[3] ?? '', 3)),
  ])
  t.match(both, [{ id: 'film', distanceBits: 3, atMs: 6750 }], 'one match, with the nearest frame')
  t.equal(both.length, 1)

  held.apply(parseLine(line('film', [pdq(hashes[3] ?? '', 100)])))
  t.same(held.match([asked('pdq', hashes[0] ?? '')]), [], 'a removed frame does not match')
  t.match(held.match([asked('pdq', hashes[3] ?? '')]), [{ atMs: 100 }])
  held.apply({ op: 'tombstone', id: 'film' })
  for (const hash of [hashes[0] ?? '', hashes[3] ?? '']) t.same(held.match([asked('pdq', hash)]), [])
  t.same(held.match([asked('video_md5', md5)]), [])
})

t.test('views corroborate each other only within one frame', async (t) => {
  const held = new Held()
  const [one, other] = [randomHashText(), randomHashText()]
  const rows = (times: readonly [number, number]): Row[] =>
    [one, other].map((hash, i) => ({ type: 'pdq-area', view: i === 0 ? 'whole' : 'deframed', hash, atMs: times[i] ?? 0 }))
  held.apply(parseLine(line('one frame', rows([0, 0]))))
  held.apply(parseLine(line('two frames', rows([0, 4000]))))
  const far = [one, other].map((hash) => asked('pdq-area', withBitsFlipped(hash, 46)))
  const ids = held
    .match(far.map((signal, i) => ({ ...signal, view: i === 0 ? 'whole' : 'deframed' }) as const))
    .map(({ id }) => id)
  t.same(ids, ['one frame'])
})

t.test('the times of frames are saved and loaded', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-held-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const held = new Held()
  for (const text of [film(), '{"op":"cursor","cursor":"c","more":false}']) held.apply(parseLine(text))
  await saveHeld(held, join(folder, 'file'))
  const again = new Held()
  await loadHeld(again, join(folder, 'file'))
  t.match(again.match([asked('pdq', hashes[2] ?? '')]), [{ id: 'film', atMs: 4500 }])
  t.match(again.match([asked('video_md5', md5)]), [{ id: 'film' }])
})

t.test('the longest video is accepted, a longer one is refused, and an invalid time is ignored', async (t) => {
  const long = Array.from({ length: 10_000 }, (_, i) => pdq(formatHash(hashFromBytes(randomBytes(32))), 60 * i))
  const held = new Held()
  held.apply(parseLine(line('long', long)))
  t.match(held.match([asked('pdq', long[9999]?.hash ?? '')]), [{ id: 'long', atMs: 599_940 }])
  const row = pdq(hashes[0] ?? '', 0)
  t.throws(() => parseLine(line('endless', new Array(20_001).fill(row))), FeedError)
  held.apply(parseLine(line('odd', [pdq(hashes[0] ?? '', -1), pdq(hashes[1] ?? '', 0.5), pdq(hashes[2] ?? '', 2 ** 32)])))
  for (const hash of hashes.slice(0, 3)) t.same(held.match([asked('pdq', hash)]), [], 'an invalid time')
})

t.test('what is narrowed matches by copies alone, also with a threshold and after a restart', async (t) => {
  const [whole = '', quarter = ''] = hashes
  const picture = [pdq(whole), { ...pdq(quarter), type: 'pdq-area', view: 'piece' } as const]
  const narrowed = (id: string, signals: readonly Row[], isNarrowed: boolean) => line(id, signals, { narrowed: isNarrowed })
  const held = new Held()
  held.apply(parseLine(narrowed('picture', picture, true)))
  held.apply(parseLine(narrowed('film', [pdq(whole, 0), { ...pdq(md5), type: 'video_md5' }], true)))
  held.apply({ op: 'cursor', cursor: 'here', more: false })
  const folder = mkdtempSync(join(tmpdir(), 'tabir-feed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await saveHeld(held, join(folder, 'file'))
  const again = new Held()
  await loadHeld(again, join(folder, 'file'))
  for (const each of [held, again]) {
    const ids = (type: SignalType, text: string, bits: number, ...more: number[]) =>
      each.match([asked(type, withBitsFlipped(text, bits))], ...more).map(({ id }) => id)
    t.same(ids('pdq', whole, 15), ['film', 'picture'])
    t.same(ids('pdq', whole, 16), [])
    t.same(ids('pdq', whole, 16, 60), [])
    t.same(each.match([asked('pdq-area', quarter)]), [])
    t.same(ids('video_md5', md5, 0), ['film'])
    t.equal(
      each.match([asked('pdq-area', whole), asked('pdq', withBitsFlipped(whole, 3))]).length,
      2,
      'a nearer part hides no copy',
    )
  }
  held.apply(parseLine(narrowed('picture', picture, false)))
  t.match(held.match([asked('pdq', withBitsFlipped(whole, 16))]), [{ id: 'picture', distanceBits: 16 }], 'released')
})
