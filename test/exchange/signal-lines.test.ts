import t from 'tap'
import { read } from './read-lines.js'

const A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'
const B = '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d'

t.test('lines of hex are read with or without a type, and comments are skipped', async (t) => {
  t.same(read(A, A.toUpperCase(), '', '# a list', `pdq ${A}`, `HASH_PDQ\t${B}`, `blockhash ${B}`), {
    format: 'lines',
    records: [`pdq 100 ${A}`, `pdq 100 ${A}`, 'blank', 'blank', `pdq 100 ${A}`, `pdq 100 ${B}`, `blockhash 100 ${B}`],
  })
  t.same(
    read(`pdq ${A.slice(1)}`, A.slice(0, 32), `video_md5 ${A}`, `pdq ${A} more`, `\0${A.slice(1)}`, 'x', `pdq  ${B}x`)
      .records,
    [
      'hash-malformed',
      'hash-malformed',
      'hash-malformed',
      'record-unreadable',
      'record-unreadable',
      'hash-malformed',
      'hash-malformed',
    ],
  )
})

t.test('an MD5 has 32 digits, and that of an empty file is refused', async (t) => {
  const md5 = 'cab08b36195edb1a1231d2d09fa450e0'
  t.same(read(`video_md5 ${md5}`, `HASH_VIDEO_MD5 ${md5.toUpperCase()}`, `video_md5 ${md5}0`, `pdq ${md5}`).records, [
    `video_md5 100 ${md5}`,
    `video_md5 100 ${md5}`,
    'hash-malformed',
    'hash-malformed',
  ])
  t.same(read('video_md5 d41d8cd98f00b204e9800998ecf8427e', `video_md5 ${'0'.repeat(32)}`).records, [
    'hash-improbable',
    'hash-improbable',
  ])
  t.same(read('video_md5', md5).records, ['blank', `video_md5 100 ${md5}`])
  t.same(read(`{"type":"video_md5","hash":"${md5}","ref":"1"}`).records, [`video_md5 100 ${md5} 1`])
})

t.test('one word above hashes is a header that gives their type', async (t) => {
  for (const [header, type] of [
    ['hash', 'pdq'],
    ['Hashes', 'pdq'],
    ['signal_str', 'pdq'],
    ['pdq', 'pdq'],
    ['PDQ hash', 'pdq'],
    ['"hash"', 'pdq'],
    ['sha256', 'sha256'],
    ['SHA-256', 'sha256'],
    ['file_sha256', 'sha256'],
    ['blockhash', 'blockhash'],
  ] as const)
    t.same(read(header, A, B), { format: 'csv', records: ['blank', `${type} 100 ${A}`, `${type} 100 ${B}`] }, header)
  t.same(read('md5', A).records, ['blank', 'signal-type-unknown'], 'MD5 of the length of PDQ is refused')
  t.same(
    read('x', A),
    { format: 'lines', records: ['hash-malformed', `pdq 100 ${A}`] },
    'a first line that is not a header is refused and counted',
  )
})

t.test('a column with the name of another hash is never read as PDQ', async (t) => {
  t.same(read('name,sha256', `me.jpg,${A}`).records, ['blank', `sha256 100 ${A}`])
  t.same(read('sha256,quality', `${A},100`).records, ['blank', `sha256 100 ${A}`])
  t.same(read('sha256,pdq', `${A},${B}`).records, ['blank', `pdq 100 ${B}`])
  t.same(read('hash,sha256', `${A},${B}`).records, ['blank', `pdq 100 ${A}`], 'the column named hash')
  t.same(read('md5,sha1', `${A},${B}`).records, ['blank', 'signal-type-unknown'])
  t.same(read('sha256,signal_type', `${A},pdq`).records, ['blank', `pdq 100 ${A}`], 'a signal_type column decides')
})

t.test('a PDQ hash with too few or too many ones is refused, and can be removed', async (t) => {
  const bits = (count: number) => (2n ** BigInt(count) - 1n).toString(16).padStart(64, '0')
  for (const none of ['0'.repeat(64), 'f'.repeat(64), bits(1), bits(79), bits(177)]) {
    t.same(read(none).records, ['hash-improbable'])
    t.same(read(`pdq-area ${none}`).records, ['hash-improbable'])
    t.same(read('hash,quality', `${none},100`).records, ['blank', 'hash-improbable'])
    t.same(read(JSON.stringify({ type: 'pdq', hash: none })).records, ['hash-improbable'])
    t.same(
      read(JSON.stringify({ type: 'pdq', hash: none, deleted: true })).records,
      [`remove pdq ${none}`],
      'it can be removed',
    )
  }
  // Every seventh bit, so that they are no bars.
  const spread = (count: number) =>
    Array.from({ length: count }, (_, k) => 1n << BigInt((7 * k) % 256))
      .reduce((sum, bit) => sum | bit)
      .toString(16)
      .padStart(64, '0')
  for (const some of [spread(80), spread(176)]) t.same(read(some).records, [`pdq 100 ${some}`])
  t.same(read(`blockhash ${bits(20)}`, `sha256 ${'0'.repeat(64)}`).records, [`blockhash 100 ${bits(20)}`, 'hash-improbable'])
})

t.test('the hash of bars is refused, among the signals of a picture too, and can be removed', async (t) => {
  const [bars, box] = ['5'.repeat(64), `${'0ff0'.repeat(8)}${'f00f'.repeat(8)}`]
  for (const none of [bars, box]) {
    t.same(read(`pdq ${none}`, `pdq-area ${none}`).records, ['hash-improbable', 'hash-improbable'])
    const part = { type: 'pdq-area', view: 'crop', quality: 100, hash: none }
    const signals = [{ ...part, type: 'pdq', view: 'whole', hash: A }, part]
    t.same(read(JSON.stringify({ type: 'pdq', hash: A, signals })).records, ['hash-improbable'])
    t.same(read(JSON.stringify({ type: 'pdq', hash: A, signals, deleted: true })).records, [`remove pdq ${A}`])
  }
  const title = { type: 'pdq', view: 'whole', quality: 100, hash: bars, atMs: 0 }
  const video = { type: 'pdq', hash: bars, video: { durationMs: 1000 }, signals: [title] }
  t.same(read(JSON.stringify(video)).records, [`pdq 100 ${bars}`], 'a frame of a video may show a title')
})

t.test('the CSV of five columns accepts harmful and possibly harmful entries, and none tagged as a minor', async (t) => {
  const seen = read(
    'signal_type,signal_str,collab,category,tags',
    `pdq,${A},NCII,POSITIVE_CLASS,"nude, ""shared"""`,
    `pdq,${B},"a, b",INVESTIGATION_SEED,`,
    `pdq,${B},x,NEGATIVE_CLASS,`,
    `pdq,${B},x,DISPUTED,`,
    `pdq,${B},x,POSITIVE_CLASS,blurry A1`,
    `pdq,${B},x,POSITIVE_CLASS,"csam"`,
    `video_md5,${A.slice(0, 32)},x,POSITIVE_CLASS,`,
    `pdq,"${B},x,POSITIVE_CLASS,`,
    'pdq',
    `pdq,${A}\0,x,POSITIVE_CLASS,`,
    '',
    `pdq,${B},x,POSITIVE_CLASS,synthetic teenager-like-tags-are-words`,
  )
  t.equal(seen.format, 'csv')
  t.same(seen.records, [
    'blank',
    `pdq 100 ${A}`,
    `pdq 100 ${B} self-reported`,
    'not-harmful',
    'not-harmful',
    'minor-declared',
    'minor-declared',
    `video_md5 100 ${A.slice(0, 32)}`,
    'record-unreadable',
    'columns-missing',
    'record-unreadable',
    'blank',
    `pdq 100 ${B} synthetic`,
  ])
})

t.test('a spreadsheet may separate fields by semicolons', async (t) => {
  t.same(read('signal_type;signal_str;quality;note', `pdq;${A};90;"a; b, ""c"""`, `pdq;${B.toUpperCase()};;`).records, [
    'blank',
    `pdq 90 ${A}`,
    `pdq 100 ${B}`,
  ])
  t.same(read('pdq;hash', `${A};${B}`).records, ['blank', `pdq 100 ${B}`], 'two columns, and not one named PDQ hash')
  t.same(read('pdq;sha256', `${A};${B}`).records, ['blank', `pdq 100 ${A}`])
  t.same(read(`${A};90;me.jpg`, `${B};12;me.jpg`).records, [`pdq 90 ${A}`, 'quality-too-low'])
  t.same(read('hash;tags', `${A};child`, `${A};"nude;csam"`).records, ['blank', 'minor-declared', 'minor-declared'])
})

t.test('each column of a CSV that tells of a person under 18 is heard, as in JSON', async (t) => {
  for (const [column, value] of [
    ['tags', 'nude csam'],
    ['Labels', 'child'],
    ['classification', 'A1'],
    ['Classification', 'Class B2'],
    ['category', 'csam'],
    ['age', '17'],
    [' Age ', '9'],
    ['adult', 'no'],
    ['adult', 'false'],
  ] as const) {
    t.same(read(`hash,${column}`, `${A},${value}`).records, ['blank', 'minor-declared'], column)
    t.same(read(`x,${column},hash`, `,${value},${A}`).records, ['blank', 'minor-declared'], column)
  }
  t.same(read('hash,age,adult,classification', `${A},,,`, `${B},34,yes,adult`).records, [
    'blank',
    `pdq 100 ${A}`,
    `pdq 100 ${B}`,
  ])
})

t.test('a CSV says what a picture shows in its category or its tags, and opinions in any case of letters', async (t) => {
  t.same(read('hash,category', `${A},nude`, `${A},Sexual-Act`, `${A},positive_class`, `${A},art`).records, [
    'blank',
    `pdq 100 ${A} nude`,
    `pdq 100 ${A} sexual-act`,
    `pdq 100 ${A}`,
    `pdq 100 ${A}`,
  ])
  t.same(read('hash,category', `${A},negative_class`, `${A},Disputed`).records, ['blank', 'not-harmful', 'not-harmful'])
  t.same(
    read('hash,type,status', `${A},HASH_PDQ,NON_MALICIOUS`, `${A},HASH_PDQ,MALICIOUS`, `${A},HASH_PDQ,UNKNOWN`).records,
    ['blank', 'not-harmful', `pdq 100 ${A}`, `pdq 100 ${A} self-reported`],
  )
})

t.test('the output of photo hashers is read: hash, quality and an ignored file name', async (t) => {
  t.same(read('hash,quality,filename', `${A},97,me.jpg`, `${A},49,me.jpg`, `${A},high,me.jpg`).records, [
    'blank',
    `pdq 97 ${A}`,
    'quality-too-low',
    'quality-too-low',
  ])
  t.same(read(`${A},97,me.jpg`, `${B},100`), { format: 'csv', records: [`pdq 97 ${A}`, `pdq 100 ${B}`] })
})

t.test('a first line with a hash is never taken for a header', async (t) => {
  t.same(read(`pdq,${A}`, `blockhash,${B}`, `PDQ,${B},90`), {
    format: 'csv',
    records: [`pdq 100 ${A}`, `blockhash 100 ${B}`, `pdq 90 ${B}`],
  })
  t.same(read(`sha256;${A}`, `sha256;${B}`).records, [`sha256 100 ${A}`, `sha256 100 ${B}`])
  t.same(read(`md5,${A.slice(0, 32)}`, `md5,${A}`).records, ['signal-type-unknown', 'signal-type-unknown'])
  t.same(read(`${A},pdq`, `${B},pdq`).records, ['quality-too-low', 'quality-too-low'])
  t.same(read(`name,hash,${A}`).records, ['hash-malformed'])
  t.same(read(`hash,quality\r${A},90\r${B},90`).records, ['record-unreadable'], 'lines of an old Macintosh')
})

t.test('NDJSON names types in any case of letters', async (t) => {
  const line = (type: string) => JSON.stringify({ type, hash: A })
  t.same(read(line('PDQ'), line('HASH_PDQ'), line('Photo')).records, [`pdq 100 ${A}`, `pdq 100 ${A}`, 'signal-type-unknown'])
})

t.test('NDJSON is read as signals and tombstones, and every other line is rejected with its reason', async (t) => {
  const id = '0190aaaa-0000-8000-8000-000000000001'
  const line = (value: object) => JSON.stringify(value)
  const seen = read(
    line({ type: 'pdq', hash: A, quality: 80, ref: 'r', category: 'nude', tier: 'ngo-attested', signalId: id, more: 1 }),
    line({ type: 'pdq', hash: A, ref: 'r', deleted: true }),
    line({ signalId: id.toUpperCase(), deleted: true }),
    line({ type: 'pdq', hash: A, tier: 'self-reported', deleted: false, ref: null, category: null }),
    line({ type: 'sha256', hash: B }),
    line({ type: 'photodna', hash: A }),
    line({ type: 'pdq', hash: A.slice(2) }),
    line({ type: 'pdq', hash: 7 }),
    line({ type: 'pdq', hash: A, quality: 12 }),
    line({ type: 'pdq', hash: A, category: 'art' }),
    line({ type: 'pdq', hash: A, ref: 'é'.repeat(128) }),
    line({ type: 'pdq', hash: A, age: 17 }),
    line({ type: 'pdq', hash: A, adult: 'no' }),
    line({ type: 'pdq', hash: A, tags: ['nude', 'csam'] }),
    line({ type: 'pdq', hash: A, Labels: 'nude;child' }),
    line({ type: 'pdq', hash: A, classification: 'A1' }),
    line({ type: 'pdq', hash: A, tags: ['nude', 7, null] }),
    line({ signalId: 'x', deleted: true }),
    '[]',
    'null',
    '{"type":',
  )
  t.same(seen, {
    format: 'ndjson',
    records: [
      `pdq 80 ${A} r nude`,
      `remove pdq ${A} r`,
      `remove ${id}`,
      `pdq 100 ${A} self-reported`,
      `sha256 100 ${B}`,
      'signal-type-unknown',
      'hash-malformed',
      'hash-malformed',
      'quality-too-low',
      'category-unknown',
      'ref-malformed',
      'minor-declared',
      'minor-declared',
      'minor-declared',
      'minor-declared',
      'minor-declared',
      `pdq 100 ${A}`,
      'signal-type-unknown',
      'record-unreadable',
      'record-unreadable',
      'record-unreadable',
    ],
  })
})
