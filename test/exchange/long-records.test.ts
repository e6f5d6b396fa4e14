// Records of several lines, as an export writes long videos, and malformed ones.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { RegisteredImage, Signal } from '../../packages/core/src/matching/signal.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { createJsonReader } from '../../src/exchange/json-signals.js'
import { linesOf } from '../../src/exchange/signal-writer.js'
import { MAX_SHORT_LINE_CHARS } from '../../src/exchange/text-lines.js'
import { runs } from '../helpers/runs.js'

const hash = () => hashFromBytes(randomBytes(32))
const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`

/** A video whose frames take the maximum number of characters. */
function video(signalCount: number): RegisteredImage {
  const signals = Array.from({ length: signalCount }, (_, i): Signal => {
    const type = i % 5 === 0 ? 'pdq' : 'pdq-area'
    return { type, view: i % 5 === 0 ? 'whole' : 'deframed', quality: 100, hash: hash(), frame: Math.floor(i / 5) }
  })
  const frames = Math.ceil(signalCount / 5)
  return {
    ...{ bank: 'mine', tier: 'ngo-attested', category: 'culturally-intimate', ref: '\u0001'.repeat(255), createdAtMs: 1 },
    video: { durationMs: 2 ** 32 - 1, framesAtMs: Array.from({ length: frames }, (_, i) => 2 ** 32 - frames + i) },
    signals: [{ type: 'sha256', view: 'whole', quality: 100, hash: hash() }, ...signals],
  }
}

function exported(image: RegisteredImage, number = 1): string[] {
  const banked = { id: id(number), image, tier: 'verified', disputed: false, matches: true } as const
  return linesOf('ndjson', banked).trimEnd().split('\n')
}

/** The records that a reader makes of lines, without blank ones. */
function read(lines: readonly (string | undefined)[]) {
  const reader = createJsonReader()
  const records = lines.flatMap((text, i) => reader.read(text, i + 1))
  return [...records, ...reader.end(lines.length)].filter(({ record }) => record.kind !== 'blank')
}

function whysOf(lines: readonly (string | undefined)[]) {
  return read(lines).map(({ line, record }) => `${line} ${record.kind === 'rejected' ? record.why : record.kind}`)
}

t.test('the longest video is exported in short lines that read as the same video', async (t) => {
  const image = video(MAX_VIDEO_SIGNALS)
  const lines = exported(image)
  t.equal(lines.length, 51)
  t.ok(lines.every(({ length }) => length < MAX_SHORT_LINE_CHARS))
  const [found, ...others] = read(lines)
  t.same(others, [])
  if (found?.record.kind !== 'put') return t.fail('not read')
  t.equal(found.line, 51)
  t.equal(found.record.signalId, id(1))
  const { video: film, picture } = found.record.signal
  t.ok(JSON.stringify([film, picture]) === JSON.stringify([image.video, image.signals]))
})

t.test('a picture with all of its views takes one line, also with many frames', async (t) => {
  const signals = Array.from({ length: 194 }, (_, i): Signal => {
    return { type: i === 0 ? 'pdq' : 'pdq-area', view: i === 0 ? 'whole' : 'deframed', quality: 100, hash: hash() }
  })
  const { video: _, ...picture } = video(1)
  const lines = exported({ ...picture, signals })
  t.equal(lines.length, 1)
  const [found] = read(lines)
  t.same(found?.record.kind === 'put' && found.record.signal.picture, signals)
  const line = JSON.parse(lines[0] ?? '')
  const many = JSON.stringify({ ...line, signals: [...line.signals, ...line.signals.slice(0, 10)] })
  t.same(whysOf([many]), ['1 record-unreadable'])
})

t.test('an incomplete record is refused where it ends, and the next one is read', async (t) => {
  const long = exported(video(700), 2)
  const short = exported(video(4), 3)
  t.equal(long.length, 4)
  t.same(whysOf([...long, ...short]), ['4 put', '5 put'])
  t.same(whysOf([...long.slice(0, 3), ...short]), ['3 record-incomplete', '4 put'])
  t.same(whysOf([...long.slice(0, 2), '', ...long.slice(2)]), ['5 put'])
  t.same(whysOf(long.slice(0, 2)), ['2 record-incomplete'])
  t.same(whysOf([...long.slice(0, 2), undefined, ...long.slice(2)]), [
    '2 record-incomplete',
    '3 record-too-long',
    '4 record-incomplete',
    '5 record-incomplete',
  ])
  const [head = '', second = '', third = '', last = ''] = long
  const whys = [1, 2, 3, 4].map((line) => `${line} record-incomplete`)
  t.same(whysOf([head, third, second, last]), whys, 'in another order')
  const foreign = second.replace(id(2), id(9))
  t.same(whysOf([head, foreign]), ['1 record-incomplete', '2 record-incomplete'])
  t.same(whysOf([second]), ['1 record-incomplete'])
})

t.test('a bad line refuses its record once, and the other lines of the record are skipped', async (t) => {
  const [head = '', second = '', ...others] = exported(video(700))
  const badHash = second.replace(/"hash":"../, '"hash":"zz')
  t.same(whysOf([head, badHash, ...others, ...exported(video(4))]), ['2 hash-malformed', '5 put'])
  const minor = second.replace('{"signalId"', '{"age":15,"signalId"')
  t.same(whysOf([head, minor, ...others]), ['2 minor-declared'])
  t.same(whysOf([head.replace('"video":', '"film":'), second]), ['1 record-unreadable', '2 record-incomplete'])
})

t.test('a record of too many lines is refused', async (t) => {
  const [head = '', second = ''] = exported(video(400))
  const said = head.replace(/"lines":\d+/, '"lines":1000')
  const next = (line: number) => second.replace('"line":2', `"line":${line}`)
  const lines = [said, ...Array.from({ length: 999 }, (_, i) => next(i + 2))]
  t.same(whysOf(lines), ['51 record-too-long'])
  t.same(whysOf([head.replace(/"lines":\d+/, '"lines":1001')]), ['1 record-unreadable'])
})

t.test('in any mixture of lines every complete record is read and nothing throws', async () => {
  const records = [1, 2, 3].map((number) => exported(video(number * 150), number))
  const pool = records.flat()
  fc.assert(
    fc.property(fc.array(fc.nat(pool.length), { maxLength: 10 }), (picks) => {
      const lines = picks.map((pick) => pool[pick] ?? '{')
      const put = read(lines).filter(({ record }) => record.kind === 'put').length
      const text = lines.join('\n')
      const whole = records.reduce((sum, record) => sum + text.split(record.join('\n')).length - 1, 0)
      return put === whole
    }),
    { numRuns: runs(33) },
  )
})
