import { gzipSync } from 'node:zlib'
import t from 'tap'
import { refused } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { beginUpload, listen } from '../helpers/sockets.js'

type Headers = Record<string, string>
interface Imported {
  readonly importId: string
  readonly state: string
  readonly problem: string | null
  readonly lines: number
  readonly accepted: number
  readonly removed: number
  readonly rejected: number
}

const at = (service: TestService, bank: string) => ({
  url: `/v1/banks/${bank}/imports`,
  send(headers: Headers, payload: string | Buffer, contentType = 'application/octet-stream') {
    return service.app.inject({
      method: 'POST',
      url: this.url,
      headers: { ...headers, 'content-type': contentType },
      payload,
    })
  },
})

async function isFound({ app }: TestService, headers: Headers, hash: string): Promise<boolean> {
  const payload = { queries: [{ signals: [{ type: 'pdq', hash }] }] }
  const response = await app.inject({ method: 'POST', url: '/v1/match', headers, payload })
  return response.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length === 1
}

const ready = startService(t).then(async (service) => {
  const { headers } = await keyFor(service, 'ngo', ['signals:write', 'match'])
  const stranger = await keyFor(service, 'stranger', ['signals:write'])
  const open = async (name: string) => {
    await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })
    return at(service, name)
  }
  return { service, headers, stranger: stranger.headers, open }
})

t.test('an import accepts every format, also gzipped, and reports each refused line with its reason only', async (t) => {
  const { service, headers, open } = await ready
  const bank = await open('forms')
  const hashes = Array.from({ length: 6 }, randomHashText)
  const [plain = '', typed = '', csv = '', json = '', packed = '', upper = ''] = hashes
  const files: [string | Buffer, string][] = [
    [`${plain}\n${upper.toUpperCase()}\r\n`, 'text/plain'],
    [`pdq ${typed}\nzzz\nzzz\npdq ${typed.slice(1)}\n`, 'application/octet-stream'],
    [`signal_type,signal_str,collab,category,tags\npdq,${csv},c,POSITIVE_CLASS,\n`, 'text/csv'],
    [`{"type":"pdq","hash":"${json}","ref":"7"}\n{"type":"pdq","hash":"${json}","age":12}`, 'application/x-ndjson'],
    [gzipSync(`${packed}\n`), 'application/gzip'],
  ]

  const reports: (Imported & { format: string; rejections: unknown[]; rejectedFor: object })[] = []
  for (const [file, type] of files) {
    const response = await bank.send(headers, file, type)
    t.equal(response.statusCode, 201, response.body)
    t.notMatch(response.body, 'zzz')
    reports.push(response.json())
  }

  t.same(
    reports.map(({ format, lines, accepted, rejected, state }) => [format, lines, accepted, rejected, state]),
    [
      ['lines', 2, 2, 0, 'done'],
      ['lines', 4, 1, 3, 'done'],
      ['csv', 2, 1, 0, 'done'],
      ['ndjson', 2, 1, 1, 'done'],
      ['lines', 1, 1, 0, 'done'],
    ],
  )
  t.same(reports[1]?.rejections, [{ fromLine: 2, toLine: 4, reason: 'hash-malformed' }])
  t.same(reports[1]?.rejectedFor, { 'hash-malformed': 3 })
  t.same(reports[3]?.rejections, [{ fromLine: 2, toLine: 2, reason: 'minor-declared' }])
  for (const hash of hashes) t.ok(await isFound(service, headers, hash))

  const list = await service.app.inject({ url: bank.url, headers })
  t.same(
    list
      .json<{ imports: Imported[] }>()
      .imports.map(({ lines }) => lines)
      .sort(),
    [1, 2, 2, 2, 4],
  )
  const one = await service.app.inject({ url: `${bank.url}/${reports[1]?.importId}`, headers })
  t.same(one.json(), reports[1])
  t.notOk(service.log.join('').includes(plain), 'no hash in the log')

  const named = ['nude', 'naked', 'Art', 'positive_class', '', 'naked'].map(
    (category) => `${randomHashText()},${category}\n`,
  )
  const withoutTheirs = await bank.send(headers, `hash,category\n${named.join('')}`, 'text/csv')
  t.match(withoutTheirs.json(), { accepted: 6, rejected: 0, categoriesIgnored: 3, rejections: [] })
  t.same(withoutTheirs.json<{ categoryIgnoredLines: unknown }>().categoryIgnoredLines, [
    { fromLine: 3, toLine: 4 },
    { fromLine: 7, toLine: 7 },
  ])
  t.notMatch(withoutTheirs.body, /naked/i, 'what a stranger wrote is not repeated')
})

t.test('an import reads what spreadsheets write, and refuses a list in JSON with what to do', async (t) => {
  const { service, headers, open } = await ready
  const bank = await open('sheets')
  const [first = '', second = '', third = ''] = Array.from({ length: 3 }, randomHashText)
  for (const [file, lines] of [
    [`\ufeffsep=;\r\nname;hash\r\nme.jpg;0x${first}\r\n`, 3],
    [`name\tpdq\tother\r\n\t${second}\t${third}\r\n`, 2],
  ] as const) {
    const response = await bank.send(headers, file, 'text/csv')
    t.match(response.json(), { state: 'done', format: 'csv', lines, accepted: 1, rejected: 0 })
  }
  t.ok(await isFound(service, headers, first))
  t.ok(await isFound(service, headers, second))
  t.notOk(await isFound(service, headers, third), 'a tab before a line is a column without text')
  for (const file of [`[\n{"type":"pdq","hash":"${third}"}\n]\n`, `{"data":[{"type":"HASH_PDQ","indicator":"${third}"}]}`]) {
    const answer = await bank.send(headers, file)
    refused(t, answer, 'request-invalid')
    t.match(answer.json(), { errors: [{ detail: /one object a line/ }] })
    t.notMatch(answer.body, third)
  }
})

t.test('tombstones remove signals of their own bank only, and the last line about a signal counts', async (t) => {
  const { service, headers, open } = await ready
  const bank = await open('tombstones')
  const other = await open('bystander')
  const [kept = '', gone = '', back = ''] = Array.from({ length: 3 }, randomHashText)
  const put = (hash: string) => `{"type":"pdq","hash":"${hash}","ref":"r"}`
  const remove = (hash: string) => `{"type":"pdq","hash":"${hash}","ref":"r","deleted":true}`
  const foreign = await service.app.inject({
    method: 'POST',
    url: '/v1/banks/bystander/signals',
    headers,
    payload: { signals: [{ type: 'pdq', hash: kept }] },
  })
  const { signalId } = foreign.json<{ signals: { signalId: string }[] }>().signals[0] ?? {}
  t.ok(other.url)

  await bank.send(headers, [put(kept), put(gone), remove(gone), put(back), remove(back), put(back)].join('\n'))
  t.same([await isFound(service, headers, gone), await isFound(service, headers, back)], [false, true])

  const again = await bank.send(
    headers,
    [remove(back), remove(gone), `{"signalId":"${signalId}","deleted":true}`].join('\n'),
  )
  t.match(again.json(), { accepted: 1, removed: 1, notFound: 2, notFoundLines: [{ fromLine: 2, toLine: 3 }] })
  t.notOk(await isFound(service, headers, back))
  const both = await service.app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [{ signals: [{ type: 'pdq', hash: kept }] }] },
  })
  t.equal(
    both.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length,
    2,
    'the signal of another bank stays',
  )
})

t.test('an interrupted import resumes where it stopped, with the counts of an uninterrupted one', async (t) => {
  const { service, headers, open } = await ready
  const bank = await open('broken')
  const lines = Array.from({ length: 2600 }, (_, i) => (i % 100 === 99 ? 'pdq 0123' : `pdq ${randomHashText()}`))
  const text = lines.join('\n')
  const key = { ...headers, 'idempotency-key': 'a'.repeat(64) }
  const port = await listen(service.app)
  const whole = { payload: Buffer.from(text), headers: { 'content-type': 'text/plain' } }
  /** Announces the whole file and disconnects after a part. */
  const cutAfter = async (bytes: number) => (await beginUpload(port, bank.url, key, whole, bytes)).end()

  let before = -1
  for (const share of [0.3, 0.6, 0.9]) {
    await cutAfter(Math.floor(text.length * share))
    const stateNow = async () =>
      (await service.app.inject({ url: bank.url, headers })).json<{ imports: Imported[] }>().imports[0]
    // A long import also records its progress while it runs.
    await until(async () => {
      const now = await stateNow()
      return (now?.lines ?? -1) > before && now?.state !== 'running'
    })
    const state = await stateNow()
    t.match(state, { state: 'stopped', problem: 'upload-incomplete' })
    before = state?.lines ?? -1
  }
  const wrong = await bank.send(key, text.replaceAll('pdq', 'PDQ'))
  refused(t, wrong, 'idempotency-key-reused')
  const resumed = await bank.send(key, text)
  t.match(resumed.json(), {
    state: 'done',
    lines: 2600,
    accepted: 2574,
    rejected: 26,
    rejectedFor: { 'hash-malformed': 26 },
  })
  t.equal(resumed.json<{ rejections: unknown[] }>().rejections.length, 26, 'no line is reported twice')
  const again = await bank.send(key, text)
  t.match(again.json(), { state: 'done', lines: 2600, accepted: 2574, rejected: 26 })
  const matches = await Promise.all(
    [0, 700, 1400, 2598].map((i) => isFound(service, headers, (lines[i] ?? '').slice('pdq '.length))),
  )
  t.same(matches, [true, true, true, true])
})

t.test('an import by a stranger, of an unsupported type or of an unreadable file is refused', async (t) => {
  const { service, headers, stranger, open } = await ready
  const bank = await open('guarded')
  refused(t, await bank.send(stranger, 'x'), 'bank-unknown')
  refused(t, await service.app.inject({ url: bank.url, headers: stranger }), 'bank-unknown')
  refused(t, await bank.send(headers, '{}', 'application/json'), 'media-unsupported')
  refused(t, await bank.send(headers, Buffer.from([0x1f, 0x8b, 1, 2, 3, 4])), 'body-unreadable')
  refused(t, await bank.send(headers, gzipSync(Buffer.alloc(40 << 20))), 'body-too-large', 'a decompression bomb')
  const unknown = '0190aaaa-0000-8000-8000-000000000001'
  refused(t, await service.app.inject({ url: `${bank.url}/${unknown}`, headers }), 'import-unknown')
  const empty = await bank.send(headers, '\n\n')
  t.match(empty.json(), { state: 'done', lines: 2, accepted: 0, rejected: 0, format: null })
})

t.test('a quota stops an import midway, and its report says so', async (t) => {
  const service = await startService(t, { trustLimits: { maxSignalsPerOrgPerDay: 1500 } })
  const { headers } = await keyFor(service, 'ngo', ['signals:write'])
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'much' } })
  const bank = at(service, 'much')
  const answer = await bank.send(headers, Array.from({ length: 3000 }, randomHashText).join('\n'))
  refused(t, answer, 'quota-exceeded')
  const { imports } = (await service.app.inject({ url: bank.url, headers })).json<{ imports: Imported[] }>()
  t.match(imports, [{ state: 'stopped', problem: 'quota-exceeded', lines: 1000, accepted: 1000 }])
})
