import { gzipSync } from 'node:zlib'
import t from 'tap'
import { Problem } from '../../src/domain/problem.js'
import { MAX_SHORT_LINE_CHARS, readLines } from '../../src/exchange/text-lines.js'
import { type UnpackLimits, unpacked } from '../../src/exchange/unpack.js'

const LIMITS: UnpackLimits = { maxPlainBytes: 1 << 20, maxRatio: 20, freeBytes: 1000 }

async function* pieces(bytes: Buffer, sizeBytes: number) {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

/** The output, and the code of the problem that stopped it. */
async function unpack(body: AsyncIterable<unknown>, limits = LIMITS) {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of unpacked(body, limits)) chunks.push(chunk)
  } catch (error) {
    return { text: Buffer.concat(chunks).toString(), stoppedBy: error instanceof Problem ? error.code : error }
  }
  return { text: Buffer.concat(chunks).toString(), stoppedBy: undefined }
}

t.test('gzip is recognised by its first bytes in chunks of any size, and plain text is passed on', async (t) => {
  const text = 'pdq 1234\n'.repeat(50)
  for (const sizeBytes of [1, 7, 1000]) {
    t.same(await unpack(pieces(gzipSync(text), sizeBytes)), { text, stoppedBy: undefined })
    t.same(await unpack(pieces(Buffer.from(text), sizeBytes)), { text, stoppedBy: undefined })
  }
  const twoMembers = Buffer.concat([gzipSync('one\n'), gzipSync('two\n')])
  t.same(await unpack(pieces(twoMembers, 3)), { text: 'one\ntwo\n', stoppedBy: undefined })
  t.same(await unpack(pieces(Buffer.of(0x1f), 1)), { text: '\u001f', stoppedBy: undefined })
  t.same(await unpack(pieces(Buffer.alloc(0), 1)), { text: '', stoppedBy: undefined })
})

t.test('a decompression bomb is stopped by its ratio, and a long file by its length', async (t) => {
  const bomb = gzipSync(Buffer.alloc(5 << 20))
  const small: UnpackLimits = { ...LIMITS, maxPlainBytes: 1 << 30 }
  const { text, stoppedBy } = await unpack(pieces(bomb, 64), small)
  t.equal(stoppedBy, 'body-too-large')
  t.ok(text.length < 512 << 10, `only ${text.length} bytes were unpacked`)

  const plain = await unpack(pieces(Buffer.alloc(2 << 20, 'x'), 65_536))
  t.same([plain.stoppedBy, plain.text.length <= LIMITS.maxPlainBytes], ['body-too-large', true])
})

t.test('a truncated body and a damaged one have different problems, and earlier output is kept', async (t) => {
  const packed = gzipSync('line\n'.repeat(20_000), { level: 0 })
  const cut = await unpack(pieces(packed.subarray(0, packed.length - 20), 999))
  t.same([cut.stoppedBy, cut.text.startsWith('line\nline\n')], ['upload-incomplete', true])

  const broken = Buffer.from(packed)
  broken[broken.length - 6] = (broken[broken.length - 6] ?? 0) ^ 1 // its checksum
  t.equal((await unpack(pieces(broken, 999))).stoppedBy, 'body-unreadable')
  t.equal((await unpack(pieces(Buffer.from([0x1f, 0x8b, 9, 9, 9, 9]), 2))).stoppedBy, 'body-unreadable')

  const failing = async function* () {
    yield Buffer.from('one\n')
    throw new Error('ECONNRESET')
  }
  t.same(await unpack(failing()), { text: 'one\n', stoppedBy: 'upload-incomplete' })
})

t.test('lines are complete wherever chunks end, and an endless line takes bounded memory', async (t) => {
  const text = `\u{feff}erste\r\nzweite é\n\n${'x'.repeat(100_000)}\nlast`
  for (const sizeBytes of [1, 3, 4096, 200_000]) {
    const lines: [number, string | undefined][] = []
    for await (const some of readLines(pieces(Buffer.from(text), sizeBytes), MAX_SHORT_LINE_CHARS))
      lines.push(...some.map(({ line, text }): [number, string | undefined] => [line, text]))
    t.same(lines, [
      [1, 'erste'],
      [2, 'zweite é'],
      [3, ''],
      [4, undefined],
      [5, 'last'],
    ])
  }
})

t.test('text in UTF-16 is read by its mark, in chunks of any size', async (t) => {
  const text = 'hash,note\r\n12,caf\u00e9 \u{1f338}\r\n\r\n34,\u0a0a'
  const little = Buffer.from(`\ufeff${text}`, 'utf16le')
  const big = Buffer.from(little).swap16()
  const lines = async (body: AsyncIterable<unknown>) => {
    const found: (string | undefined)[] = []
    for await (const batch of readLines(body)) found.push(...batch.map((line) => line.text))
    return found
  }
  const expected = ['hash,note', '12,caf\u00e9 \u{1f338}', '', '34,\u0a0a']
  for (const sizeBytes of [1, 2, 3, 5, 1000]) {
    for (const bytes of [little, big, Buffer.from(`\ufeff${text}`)]) {
      t.same(await lines(unpacked(pieces(bytes, sizeBytes))), expected)
      t.same(await lines(unpacked(pieces(gzipSync(bytes), sizeBytes))), expected)
    }
  }
  t.same(await lines(unpacked(pieces(little.subarray(0, -1), 4))), [...expected.slice(0, 3), '34,\ufffd'])
})
