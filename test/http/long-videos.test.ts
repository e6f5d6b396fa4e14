// A bank with a long video is exported and imported elsewhere in short lines.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

const SCOPES = ['signals:write', 'feed', 'match'] as const
const LINE_SIGNALS = 200
const SIGNALS = 1801

/** The lines of a video as an export has them. */
function videoLines(signalCount: number, signalId: string): string {
  const signals = Array.from({ length: signalCount }, (_, i) => {
    const [type, view] = i % 5 === 0 ? ['pdq', 'whole'] : ['pdq-area', 'deframed']
    return { type, view, quality: 90, hash: randomHashText(), atMs: 250 * Math.floor(i / 5) }
  })
  const lines = Math.ceil(signalCount / LINE_SIGNALS)
  const part = (number: number) => signals.slice((number - 1) * LINE_SIGNALS, number * LINE_SIGNALS)
  const head = { signalId, type: 'pdq', hash: signals[0]?.hash, ref: 'film', video: { durationMs: 600_000 }, lines }
  const rest = Array.from({ length: lines - 1 }, (_, i) => ({ signalId, line: i + 2, signals: part(i + 2) }))
  return [{ ...head, signals: part(1) }, ...rest].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** The content of a file, without fields that differ between banks. */
const contentOf = (file: string) =>
  file
    .replaceAll(/"signalId":"[^"]*",/g, '')
    .replaceAll(/"(?:createdAt|tier)":"[^"]*",/g, '')
    .replaceAll('"disputed":false,', '')

t.test('a long video is exported from a bank and imported into another without loss', async (t) => {
  const service = await startService(t)
  const { app } = service
  const { headers, key } = await keyFor(service, 'ngo', SCOPES)
  const send = async (bank: string, payload: string) => {
    const type = { ...headers, 'content-type': 'application/x-ndjson' }
    const answer = await app.inject({ method: 'POST', url: `/v1/banks/${bank}/imports`, headers: type, payload })
    return answer.json<{ accepted: number; rejected: number; removed: number; rejections: object[] }>()
  }
  const fileOf = async (bank: string) => {
    const payload = { format: 'ndjson', plain: true }
    return (await app.inject({ method: 'POST', url: `/v1/banks/${bank}/exports`, headers, payload })).body
  }
  for (const name of ['one', 'other']) await app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })

  const given = videoLines(SIGNALS, '00000000-0000-7000-8000-000000000001')
  t.match(await send('one', given), { accepted: 1, rejected: 0 })
  const exported = await fileOf('one')
  t.ok(exported.split('\n').every(({ length }) => length < 32_768))
  t.match(await send('other', exported), { accepted: 1, rejected: 0 })
  const again = await fileOf('other')
  t.ok(contentOf(again) === contentOf(exported), 'both banks have the same')
  t.ok(again.includes('"lines":10,'))
  const hashes = [...given.matchAll(/"hash":"(\w+)"/g)].map(([, hash]) => hash)
  t.same(new Set([...again.matchAll(/"hash":"(\w+)"/g)].map(([, hash]) => hash)), new Set(hashes))

  const cut = await send('other', again.split('\n').slice(0, 7).join('\n'))
  t.match(cut, { accepted: 0, rejected: 1, rejections: [{ fromLine: 7, toLine: 7, reason: 'record-incomplete' }] })

  const folder = mkdtempSync(join(tmpdir(), 'tabir-long-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const before = join(folder, 'before.ndjson')
  const small = videoLines(450, '00000000-0000-7000-8000-000000000002')
  writeFileSync(before, `${again.trimEnd()}\n${small}`)
  t.match(await send('other', videoLines(300, '00000000-0000-7000-8000-000000000003')), { accepted: 1 })
  const url = `http://127.0.0.1:${await listen(app)}`
  const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const args = ['export', '--bank', 'other', '--plain', '--since', before, '--url', url]
  const since = await new Promise<string>((resolve) => {
    execFile(process.execPath, [cli, ...args], { env: { PATH: process.env['PATH'], TABIR_API_KEY: key } }, (_, out) =>
      resolve(out),
    )
  })
  t.match(
    since
      .trim()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line)).filter((name) => /^(lines?|deleted)$/.test(name))),
    [['lines'], ['line'], ['lines', 'deleted'], ['line'], ['line']],
  )

  const gone = again.replaceAll(/\}\n/g, ',"deleted":true}\n')
  t.match(await send('one', gone), { removed: 1, rejected: 0 })
  t.equal(await fileOf('one'), '')
})
