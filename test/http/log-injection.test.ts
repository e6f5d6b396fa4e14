// Text from callers must not become a log line, a terminal escape sequence or part of a PDF.

import { connect } from 'node:net'
import t from 'tap'
import { isPlainLine, plainJson } from '../../src/domain/plain-text.js'
import { errorInLogs } from '../../src/http/error-in-logs.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, startService } from '../helpers/service.js'
import { listen, readAll } from '../helpers/sockets.js'

/** A newline with a forged log line, terminal escape sequences in two forms, reversed text, and PDF objects. */
const HOSTILE =
  'EVIL\n{"level":30,"msg":"audit"}\u001b]0;EVIL\u0007\u009b31m\u202eLIVE) /OpenAction << /S /JavaScript /JS (EVIL) >> (\u2028'

const service = await startService(t, { logLevel: 'trace' })

t.test('no text of a request is in the log, which has one line of JSON for each request', async (t) => {
  const port = await listen(service.app)
  const { key } = await keyFor(service, 'operator', undefined, 'operator')
  const before = service.log.length
  const bytes = Buffer.from(HOSTILE.replaceAll('\n', ' ')).toString('latin1')
  const path = encodeURIComponent(HOSTILE)
  for (const head of [
    `GET /v1/cases/${path} HTTP/1.1\r\nHost: ${bytes}\r\nAuthorization: Bearer ${bytes}`,
    `GET /v1/banks/${path}?${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nUser-Agent: ${path}\r\nX-Forwarded-For: ${path}`,
    `GET /${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${path}\r\nRequest-Id: ${path}\r\nTraceparent: ${path}\r\nReferer: ${path}`,
    `${path} / HTTP/1.1\r\nHost: x`,
    `GET /v1/banks\n${bytes} HTTP/1.1\r\nHost: x`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${head}\r\nConnection: close\r\n\r\n`, 'latin1')
    t.notMatch(await readAll(socket).catch(() => ''), /EVIL/, 'no text of the request is in the answer')
  }
  const payload = `{"name":${JSON.stringify(HOSTILE)},"EVIL${HOSTILE}":1}`
  for (const url of ['/v1/banks', '/v1/keys', '/c/banks', '/v1/match'])
    await post(service.app, url, payload, { authorization: `Bearer ${key}` })
  const lines = service.log.slice(before)
  t.ok(lines.length >= 7)
  for (const line of lines) {
    t.notMatch(line, /EVIL|LIVE/)
    t.doesNotThrow(() => JSON.parse(line))
    t.ok(isPlainLine(line.trimEnd()), 'one line')
  }
  const logged = errorInLogs(new Error(HOSTILE))
  t.notMatch(JSON.stringify(logged), /[\u0080-\u009f\u202e\u2028]/, 'control characters of an error message are escaped')
})

t.test('an organisation’s name is one line without control or direction characters', async (t) => {
  const { headers } = await keyFor(service, 'operator', undefined, 'operator')
  const make = (org: string) => post(service.app, '/v1/keys', { org, kind: 'platform', scopes: ['match'] }, headers)
  for (const bad of ['two\nlines', 'a\u001b[2J', 'a\u009b2J', 'moc.\u202eexample', 'a\u2067b', 'a\u0000b', 'a\u2028b'])
    refused(t, await make(bad), 'request-invalid')
  for (const good of ['Pertubuhan Wanita & Co. (KL)', 'كرامة', 'می‌خواهم', '帮助 🧡'])
    t.equal((await make(good)).statusCode, 201, good)
  const name = `${HOSTILE} of before`
  const printed = plainJson({ name })
  t.ok(isPlainLine(printed), 'an existing name with such characters is printed escaped')
  t.same(JSON.parse(printed), { name })
})

t.test('a case report contains no text that a caller wrote', async (t) => {
  const { headers } = await keyFor(service, HOSTILE, ['cases:write'], 'ngo')
  const consent = { kind: 'in-writing', on: '2026-01-31' }
  const opened = await post(
    service.app,
    '/v1/assisted-cases',
    { adult: true, consent, attest: true, complaint: 'EVIL/2026/1' },
    headers,
  )
  t.equal(opened.statusCode, 201, opened.body)
  const url = `/v1/cases/${opened.json<{ caseNumber: string }>().caseNumber}`
  // The PDF is made from this document alone and has it attached.
  const report = await service.app.inject({ url: `${url}/report`, headers })
  t.equal(report.statusCode, 200)
  t.notMatch(report.body, /EVIL|LIVE|JavaScript|OpenAction/)
})
