// Videos in the formats of vPDQ: lines, both kinds of JSON, and malformed input.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { readerFor } from '../../src/exchange/signal-lines.js'
import { MAX_LINE_CHARS } from '../../src/exchange/text-lines.js'
import { readVpdqJson } from '../../src/exchange/vpdq.js'
import { isVpdq } from '../../src/exchange/vpdq-lines.js'
import { runs } from '../helpers/runs.js'

interface Frame {
  readonly hash: string
  readonly quality: number
  readonly seconds: number
}

const random = () => randomBytes(32).toString('hex')
const framesOf = (count: number, secondsEach = 1): Frame[] =>
  Array.from({ length: count }, (_, i) => ({ hash: random(), quality: 100 - (i % 40), seconds: i * secondsEach }))

/** The lines that vpdqio.cpp writes. */
const lines = (frames: readonly Frame[]) =>
  frames.map(({ hash, quality, seconds }, i) => `${i},${quality},${hash},${seconds.toFixed(3)}`)
/** The JSON that vpdq_util.py writes: `.3` in Python is three significant digits. */
const json = (frames: readonly Frame[]) =>
  `[${frames.map(({ hash, quality, seconds }) => `"${hash},${quality},${pythonDigits(seconds)}"`).join(', ')}]`
const older = (frames: readonly Frame[]) =>
  JSON.stringify(Object.fromEntries(frames.map(({ seconds, ...rest }, i) => [i, { ...rest, timestamp: seconds }])))

function pythonDigits(seconds: number): string {
  const text = seconds.toPrecision(3)
  return text.includes('e')
    ? text.replace(/e\+(\d)$/, 'e+0$1')
    : seconds >= 100
      ? `${seconds.toExponential(2).replace(/e\+(\d)$/, 'e+0$1')}`
      : text
}

/** The records of a file; for a video, the times and hashes of its frames. */
function read(all: readonly string[]) {
  const { format, reader, isHeader } = readerFor(all[0] ?? '')
  const given = isHeader ? all.slice(1) : all
  const records = [...given.flatMap((text, i) => reader.read(text, i + 1)), ...reader.end(given.length)]
  const shown = records.map(({ line, record }) => {
    if (record.kind !== 'put') return `${line} ${record.kind === 'rejected' ? record.why : record.kind}`
    const { picture = [], video } = record.signal
    return { line, atMs: video?.framesAtMs, hashes: picture.map(({ hash }) => formatHash(hash)) }
  })
  return { format, shown }
}

t.test('the lines, the JSON and the older JSON of a video read as the same video', async (t) => {
  const frames = framesOf(30, 0.5)
  const video = { atMs: frames.map(({ seconds }) => 1000 * seconds), hashes: frames.map(({ hash }) => hash) }
  t.same(read(lines(frames)), { format: 'vpdq', shown: [{ line: 30, ...video }] })
  t.same(read([json(frames)]), { format: 'vpdq', shown: [{ line: 1, ...video }] })
  t.same(read([older(frames)]), { format: 'vpdq', shown: [{ line: 1, ...video }] })
  const swapped = lines(frames).map((line) => line.replace(/^(\d+),(\d+),(\w+)/, '$1,$3,$2'))
  t.same(read(swapped).shown, [{ line: 30, ...video }], 'in the order of the Python example')
  t.same(read([`vpdq ${json(frames)}`]), { format: 'lines', shown: [{ line: 1, ...video }] })
  const field = `"${json(frames).replaceAll('"', '""')}"`
  const csv = ['signal_type,signal_str,collab,category,tags', `vpdq,${field},c,POSITIVE_CLASS,`]
  t.same(read(csv), { format: 'csv', shown: [{ line: 1, ...video }] })
  t.same(read([csv[0] ?? '', `vpdq,${field},c,NEGATIVE_CLASS,`]).shown, ['1 not-harmful'])
})

t.test('every video of a file with several videos is read', async (t) => {
  const [one, other] = [framesOf(3), framesOf(5)]
  const { shown } = read([...lines(one), ...lines(other), json(one)])
  t.match(shown, [
    { line: 3, hashes: one.map(({ hash }) => hash) },
    { line: 8, hashes: other.map(({ hash }) => hash) },
    { line: 9, hashes: one.map(({ hash }) => hash) },
  ])
})

t.test('a bad line loses only its frame, and a rejected frame is reported with its reason', async (t) => {
  const frames = framesOf(6).map((frame, i) => (i === 2 ? { ...frame, quality: 49 } : frame))
  const all = lines(frames)
  all[1] = '1,100,zz,1.000'
  all[3] = `3,100,${'0'.repeat(64)},3.000`
  all[4] = `4,100,${frames[4]?.hash},-1`
  const { shown } = read(all)
  const refused = ['2 hash-malformed', '3 quality-too-low', '4 hash-improbable', '5 record-unreadable']
  t.same(shown, [...refused, { line: 6, atMs: [0, 5000], hashes: [frames[0]?.hash, frames[5]?.hash] }])
  t.same(read([all[0] ?? '', 'zzz', '1,2,3', 'x'.repeat(9999)]).shown.slice(0, 3), [
    '2 record-unreadable',
    '3 record-unreadable',
    '4 record-unreadable',
  ])
  const low = frames.map((frame) => ({ ...frame, quality: 10 }))
  t.same(read(lines(low)).shown.length, 6)
  t.same(read([json(low)]).shown, ['1 quality-too-low'])
})

t.test('frames are thinned to four a second, and equal times are moved apart', async (t) => {
  const dense = framesOf(300, 1 / 30)
  const [video] = read(lines(dense)).shown
  t.equal(typeof video === 'object' && video.hashes.length, 38)
  const late = framesOf(40).map((frame, i) => ({ ...frame, seconds: 1230 + i }))
  const [long] = read([json(late)]).shown
  if (typeof long !== 'object' || long.atMs === undefined) return t.fail('not read')
  t.equal(long.hashes.length, 40)
  t.ok(
    long.atMs.every((ms, i) => i === 0 || ms > (long.atMs?.[i - 1] ?? 0)),
    'in order, at different times',
  )
  const same = framesOf(1)[0]
  const still = Array.from({ length: 50 }, (_, i) => ({ hash: same?.hash ?? '', quality: 90, seconds: i }))
  t.match(read(lines(still)).shown, [{ line: 50, atMs: [0] }])
})

t.test('an endless video is refused once, and the next video is read', async (t) => {
  const hash = random()
  const endless = Array.from({ length: 40_010 }, (_, i) => `${i},100,${hash},0.000`)
  const { shown } = read([...endless, 'zzz', ...lines(framesOf(2))])
  t.match(shown, ['40001 record-too-long', { line: 40_013 }])
  const tooMany = readVpdqJson(json(framesOf(MAX_VIDEO_SIGNALS + 1)))
  t.equal(tooMany, 'record-too-long')
})

t.test('malformed JSON of any length is refused without being parsed', async (t) => {
  const good = json(framesOf(2))
  const bad = [
    '[]',
    '[',
    '[[',
    '[1]',
    `${good}x`,
    `${good}${good}`,
    good.slice(0, -1),
    good.replace(',', ''),
    good.replace('", "', '" "'),
    '['.repeat(MAX_LINE_CHARS),
    `["${'a'.repeat(MAX_LINE_CHARS)}"]`,
    `{"0":${'{"a":'.repeat(60_000)}`,
    '{"0":{"quality":100}}',
    '{"0":{"quality":"100","hash":1,"timestamp":"0"}}',
    `{"0":{"quality":1e9,"hash":"${random()}","timestamp":-1}}`,
  ]
  for (const text of bad) t.equal(readVpdqJson(text), 'record-unreadable', text.slice(0, 60))
  t.equal(readVpdqJson(`["${random().slice(1)},100,0.0"]`), 'hash-malformed')
  t.equal(readVpdqJson(`["${random()},100,5.0", "${random()},100,1.0"]`), 'record-unreadable', 'descending times')
})

t.test('with any truncation, mixture or change nothing throws, and frames stay in bounds', async () => {
  const pool = [...lines(framesOf(4)), json(framesOf(3)), older(framesOf(2)), 'vpdq []', '', '7,', random(), '0,1,2,3,4']
  const line = fc.oneof(
    fc.constantFrom(...pool),
    fc.tuple(fc.constantFrom(...pool), fc.nat(300)).map(([text, at]) => text.slice(0, at)),
    fc.tuple(fc.constantFrom(...pool), fc.nat(200), fc.string({ maxLength: 3 })).map(([text, at, odd]) => {
      return `${text.slice(0, at)}${odd.replaceAll('\n', '')}${text.slice(at + 1)}`
    }),
  )
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (all) => {
      // A file that begins with a list in JSON is refused as a whole (`readerFor`), unless the line is a video.
      fc.pre(isVpdq(all[0]?.trim() ?? '') || !/^[[{]/.test(all[0]?.trim() ?? ''))
      return read(all).shown.every((one) => {
        if (typeof one === 'string' || one.atMs === undefined) return true
        const times = one.atMs
        return times.length === one.hashes.length && times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0))
      })
    }),
    { numRuns: runs(60) },
  )
})
