// Videos in exported files and lists.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { RegisteredImage, Signal } from '../../packages/core/src/matching/signal.js'
import { timedSignals, videoOf } from '../../packages/core/src/matching/timed-signals.js'
import { formatHash, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createJsonReader } from '../../src/exchange/json-signals.js'
import { EXPORT_FORMATS, linesOf } from '../../src/exchange/signal-writer.js'
import { fetchableIn } from '../../src/services/interop/fetched-hashes.js'

const row = (type: Signal['type'], view: Signal['view'], frame?: number): Signal => ({
  ...{ type, view, quality: 90, hash: hashFromBytes(randomBytes(32)) },
  ...(frame !== undefined && { frame }),
})
const file = row('sha256', 'whole')
const signals = [file, row('pdq', 'whole', 0), row('pdq-area', 'crop', 0), row('pdq', 'whole', 1)]
const image: RegisteredImage = {
  bank: 'mine',
  tier: 'ngo-attested',
  category: 'nude',
  ref: 'r1',
  createdAtMs: 1,
  video: { durationMs: 9_000, framesAtMs: [0, 2_250] },
  signals,
}
const banked = {
  id: '00000000-0000-7000-8000-000000000000',
  image,
  tier: image.tier,
  disputed: false,
  matches: true,
} as const

function recordIn(line: string) {
  return createJsonReader().read(line, 1)[0]?.record
}

t.test('an exported video is imported as the same video', async (t) => {
  for (const exported of [image, { ...image, signals: signals.slice(1) }]) {
    const line = linesOf('ndjson', { ...banked, image: exported })
    t.notMatch(line, /frame/)
    const read = recordIn(line.trim())
    if (read?.kind !== 'put') return t.fail(`not read: ${JSON.stringify(read)}`)
    t.same(read.signal.video, exported.video)
    t.same(read.signal.picture, exported.signals)
  }
})

t.test('times without a video, and durations out of range, are refused', async (t) => {
  const line = JSON.parse(linesOf('ndjson', banked))
  for (const changed of [{ video: undefined }, { video: { durationMs: -1 } }, { video: { durationMs: 2 ** 32 } }])
    t.match(recordIn(JSON.stringify({ ...line, ...changed })), { kind: 'rejected', why: 'record-unreadable' })
})

t.test('formats for pictures contain only the file hash of a video', async (t) => {
  for (const format of EXPORT_FORMATS.filter((name) => name !== 'ndjson')) {
    const lines = linesOf(format, banked)
    for (const { hash, frame } of signals) {
      const isThere = frame === undefined && format !== 'hex'
      t.equal(lines.includes(formatHash(hash)), isThere, format)
    }
  }
  t.same(fetchableIn(signals), [])
  t.equal(fetchableIn([...signals, row('pdq', 'whole')]).length, 1)
})

t.test('timed signals and signals of frames convert into each other without loss', async () => {
  const times = fc.uniqueArray(fc.nat(600_000), { maxLength: 6 }).map((all) => all.sort((a, b) => a - b))
  fc.assert(
    fc.property(times, fc.array(fc.nat(6), { maxLength: 12 }), (all, places) => {
      const used = new Set(places.filter((place) => place > 0 && place <= all.length))
      const framesAtMs = all.filter((_, i) => used.has(i + 1))
      const given = places
        .filter((place) => place <= all.length)
        .map((place) => row('pdq', 'whole', place === 0 ? undefined : framesAtMs.indexOf(all[place - 1] ?? -1)))
      const isAnimation = places.includes(0) // then it has a hash as a picture, too
      const video = { video: { durationMs: 7, framesAtMs, ...(isAnimation && { isAnimation }) }, signals: given }
      return JSON.stringify(videoOf(7, timedSignals(video))) === JSON.stringify(video)
    }),
  )
})
