// Sends broken calls to every operation. Each status and problem code that comes back must be in openapi.yaml.

import t from 'tap'
import { z } from 'zod'
import { SCOPES } from '../../src/domain/organisations/access.js'
import { SERVER_LIMITS } from '../../src/http/limit-table.js'
import { EXAMPLES } from '../../src/http/openapi/examples.js'
import { multipart } from '../helpers/multipart.js'
import { del, forged } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, startService, submitted } from '../helpers/service.js'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

const Described = z.object({
  paths: z.record(
    z.string(),
    z.partialRecord(
      z.enum(METHODS),
      z.object({
        operationId: z.string(),
        parameters: z.array(z.object({ name: z.string(), in: z.string() })).optional(),
        security: z.array(z.record(z.string(), z.unknown())).optional(),
        responses: z.record(z.string(), z.object({ description: z.string(), content: z.unknown().optional() })),
      }),
    ),
  ),
})

interface Call {
  readonly what: string
  readonly path?: (path: string) => string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | Buffer
}

const typed = (what: string, contentType: string, payload: string | Buffer): Call => ({
  what,
  headers: { 'content-type': contentType },
  payload,
})
const json = (what: string, payload: string) => typed(what, 'application/json', payload)
const noParts = multipart([])

const BODIES: readonly Call[] = [
  { what: 'no body' },
  json('an empty body', ''),
  json('half an object', '{"a":'),
  json('a prototype', '{"__proto__":{"a":1}}'),
  json('an empty object', '{}'),
  json('nothing', 'null'),
  json('a child', '{"age":12}'),
  typed('XML', 'text/xml', '<a/>'),
  typed('text', 'text/plain', 'a'),
  typed('lines', 'application/x-ndjson', '{"a":1}\n'),
  typed('a file', 'application/octet-stream', 'zz\n'),
  typed('a broken archive', 'application/gzip', Buffer.from([0x1f, 0x8b, 1, 2])),
  typed('parts that are none', 'multipart/form-data; boundary=x', '--x\r\nq'),
  { what: 'no parts', headers: noParts.headers, payload: noParts.payload },
  {
    what: 'too large',
    headers: { 'content-type': 'application/json', 'content-length': String(1 << 30) },
    payload: '{"a":',
  },
]

const ADDRESSES: readonly Call[] = [
  { what: 'an unknown parameter', query: 'zz=1' },
  { what: 'a child in the address', query: 'age=12' },
  { what: 'a short key', headers: { 'idempotency-key': 'short' } },
  ...['%F0%9F%92%A5', 'a%00b', 'x'.repeat(300), 'x'.repeat(SERVER_LIMITS.paramChars + 1)].map((value) => ({
    what: `an id of ${value.slice(0, 12)}`,
    path: (path: string) => path.replaceAll(/\{\w+\}/g, value),
  })),
  { what: 'a broken escape', path: (path) => path.replaceAll(/\{\w+\}/g, '%') },
]

/** These paths match another operation, which has a parameter in their place. */
const SHADOWED = ['delete /v1/cases/challenge', 'delete /v1/keys/own']

const UNKNOWN: Readonly<Record<string, string>> = { caseNumber: 'TBR-0000-0000-0000', code: 'case-unknown', bank: 'none' }
const UNKNOWN_ID = '0190aaaa-0000-7000-8000-000000000001'

t.test('every status and problem code that broken calls get is in the API description, and none is cacheable', async (t) => {
  const service = await startService(t, { logLevel: 'silent' })
  const { app } = service
  const all = await keyFor(service, 'all', SCOPES, 'ngo')
  const none = await keyFor(service, 'none', ['match:distance'])
  const her = await submitted(service)
  const ended = await openCase(app)
  await del(app, ended.url, ended.headers)
  const { paths } = Described.parse(app.swagger())
  const missing = new Set<string>()
  const kept = new Set<string>()
  let asked = 0

  for (const [path, operations] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = operations[method]
      const ask = async ({ what, path: changed, query, headers, payload }: Call, own: object, caseNumber?: string) => {
        const named = (caseNumber === undefined ? path : path.replace('{caseNumber}', caseNumber)).replaceAll('{code}', 'zz')
        const url = (changed?.(named) ?? named).replaceAll(/\{(\w+)\}/g, (_, name) => UNKNOWN[name] ?? UNKNOWN_ID)
        const answer = await app.inject({
          method: method.toUpperCase() as 'GET',
          url: query === undefined ? url : `${url}?${query}`,
          headers: { ...own, ...headers },
          ...(payload !== undefined && { payload }),
        })
        asked++
        if (answer.headers['cache-control'] !== 'no-store') kept.add(`${method} ${path} ${answer.statusCode}: ${what}`)
        const { statusCode } = answer
        const code = codeOf(answer)
        if (operation === undefined) {
          if (code !== 'method-not-allowed' && !SHADOWED.includes(`${method} ${path}`))
            t.fail(`${method} ${path}: ${statusCode} is not described`)
          return
        }
        const described = operation.responses[statusCode]
        const isDescribed = described !== undefined && (statusCode < 400 || described.description.includes(`\`${code}\``))
        // An invalid path reaches no operation.
        if (!isDescribed && code !== 'route-unknown') missing.add(`${operation.operationId} ${statusCode} ${code}: ${what}`)
      }
      if (operation === undefined) {
        await ask({ what: 'another method' }, {})
        continue
      }
      const isCases = operation.security?.some((way) => 'caseToken' in way) === true
      const [own, caseNumber] = isCases ? [her.headers, her.caseNumber] : [all.headers, undefined]
      const example = JSON.stringify(EXAMPLES[operation.operationId]?.body)
      await ask({ what: 'nobody' }, {}, caseNumber)
      await ask({ what: 'a forged key' }, { authorization: `Bearer ${forged(all.key)}` }, caseNumber)
      await ask({ what: 'another scope' }, none.headers, caseNumber)
      if (isCases) await ask({ what: 'an NGO that is not hers' }, all.headers, caseNumber)
      for (const call of ADDRESSES) if (call.path === undefined || path.includes('{')) await ask(call, own, caseNumber)
      for (const { name } of (operation.parameters ?? []).filter((parameter) => parameter.in === 'query'))
        for (const value of ['!', '-1']) await ask({ what: name, query: `${name}=${value}` }, own, caseNumber)
      // Operations without a body succeed, so they run on a case that is not needed any more.
      const [whose, whoseNumber] = isCases && example === undefined ? [ended.headers, ended.caseNumber] : [own, caseNumber]
      if (method !== 'get') for (const call of BODIES) await ask(call, whose, whoseNumber)
      if (isCases) await ask(json('the end of the case', example ?? '{}'), ended.headers, ended.caseNumber)
      if (example !== undefined) await ask(json('unused ids', example), all.headers)
    }
  }
  t.same([...missing], [], 'every answer is described')
  t.same([...kept], [], 'no answer is cacheable')
  t.ok(asked > 1000, `${asked} calls`)
})
