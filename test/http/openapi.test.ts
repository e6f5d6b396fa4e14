import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { EVENTS_MISSED, WEBHOOK_EVENT_NAMES } from '../../src/domain/organisations/webhook.js'
import { EXAMPLES } from '../../src/http/openapi/examples.js'
import { startService } from '../helpers/service.js'

const Operations = z.object({ paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))) })

const path = resolve(import.meta.dirname, '../../../openapi.yaml')

t.test('openapi.yaml is up to date with the routes (npm run openapi writes it)', async (t) => {
  const { app } = await startService(t)
  await app.ready()
  const yaml = app.swagger({ yaml: true })
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(path, yaml)
  t.equal(yaml, readFileSync(path, 'utf8'))

  const served = await app.inject({ url: '/openapi.yaml' })
  t.equal(served.body, yaml)
  t.match(served.headers['content-type'], /^application\/yaml/)
})

t.test('each operation lists its own problems, also if routes share a config', async (t) => {
  const { app } = await startService(t)
  await app.ready()
  const Described = z.object({ responses: z.record(z.string(), z.object({ description: z.string() })) })
  const Paths = z.object({ paths: z.record(z.string(), z.record(z.string(), z.looseObject({}))) })
  const { paths } = Paths.parse(app.swagger())
  const unknownOf = (path: string, method: string) =>
    Described.parse(paths[path]?.[method]).responses['404']?.description ?? 'none'
  t.equal(unknownOf('/v1/webhooks', 'get'), 'none')
  t.equal(unknownOf('/v1/webhooks/{webhookId}', 'get'), '`webhook-unknown`')
  t.equal(
    unknownOf('/v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay', 'post'),
    '`delivery-unknown`, `webhook-unknown`',
  )
})

t.test('every operation has an example, and no example belongs to a removed operation', async (t) => {
  if (process.env['TAP_SNAPSHOT'] === '1') return // missing examples are about to be written
  const { app } = await startService(t)
  await app.ready()
  const { paths } = Operations.parse(app.swagger())
  const ids = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
  const missing = ids.filter((id) => !(id in EXAMPLES))
  t.same(missing, [], 'call it in test/http/example-calls.test.ts, then run `npm run openapi`, which writes its example')
  t.same(
    Object.keys(EXAMPLES).filter((id) => !ids.includes(id)),
    [],
    '`npm run openapi` removes it',
  )
})

t.test('the API description is served as a page without external resources', async (t) => {
  const { app } = await startService(t)
  const page = await app.inject({ url: '/docs/' })
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /(?:src|href)="https?:/)
})

t.test('openapi.yaml suits code generators: a relative server, portable patterns, named schemas and enums', (t) => {
  const described = readFileSync(path, 'utf8')
  const { components, servers, webhooks } = Generated.parse(parse(described))
  t.same(
    servers,
    [{ url: '.', description: 'Where this description is served from.' }],
    'the server is relative to the description, also below a path',
  )
  t.notMatch(described, /\\p\{/, 'no pattern that only some engines support')
  const names = (words: object) => Object.keys(words).map((name) => name.toLowerCase())
  const schemes = names(components.securitySchemes)
  t.same(
    names(components.schemas).filter((name) => schemes.includes(name)),
    [],
    'no security scheme has the name of a schema',
  )
  t.same(
    Object.keys(webhooks).sort(),
    [...WEBHOOK_EVENT_NAMES, EVENTS_MISSED, 'webhook.ping'].sort(),
    'every webhook event is described',
  )

  const lists = new Map<string, string[]>()
  for (const { at, words } of listsIn(parse(described), '')) {
    const key = JSON.stringify(words)
    lists.set(key, [...(lists.get(key) ?? []), at])
  }
  const twice = [...lists].filter(([, places]) => places.length > 1)
  t.same(twice, [], 'an enum that is used in several places needs a name in src/http/openapi/openapi-enums.ts')
  t.end()
})

const Generated = z.object({
  servers: z.unknown(),
  components: z.object({ securitySchemes: z.record(z.string(), z.unknown()), schemas: z.record(z.string(), z.unknown()) }),
  webhooks: z.record(z.string(), z.unknown()),
})

function* listsIn(value: unknown, at: string): Generator<{ at: string; words: unknown[] }> {
  if (typeof value !== 'object' || value === null) return
  if ('enum' in value && Array.isArray(value.enum) && value.enum.length > 1) yield { at, words: value.enum }
  for (const [name, each] of Object.entries(value)) yield* listsIn(each, `${at}/${name}`)
}
