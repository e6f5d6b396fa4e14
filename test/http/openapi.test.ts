import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { EXAMPLES } from '../../src/http/examples.js'
import { startService } from '../helpers/service.js'

const Operations = z.object({ paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))) })

const path = resolve(import.meta.dirname, '../../../openapi.yaml')

t.test('openapi.yaml is what the routes say; npm run openapi writes it', async (t) => {
  const { app } = await startService(t)
  await app.ready()
  const yaml = app.swagger({ yaml: true })
  if (process.env['TAP_SNAPSHOT'] === '1') writeFileSync(path, yaml)
  t.equal(yaml, readFileSync(path, 'utf8'))

  const served = await app.inject({ url: '/openapi.yaml' })
  t.equal(served.body, yaml)
  t.match(served.headers['content-type'], /^application\/yaml/)
})

t.test('every operation has an example, which a test calls; none is of an operation that is gone', async (t) => {
  if (process.env['TAP_SNAPSHOT'] === '1') return // what is missing is about to be noted
  const { app } = await startService(t)
  await app.ready()
  const { paths } = Operations.parse(app.swagger())
  const ids = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
  const missing = ids.filter((id) => !(id in EXAMPLES))
  t.same(
    missing,
    [],
    'call it in test/http/example-calls.test.ts, then `npm run openapi`, which notes what it is sent and answers',
  )
  t.same(
    Object.keys(EXAMPLES).filter((id) => !ids.includes(id)),
    [],
    '`npm run openapi` takes it away',
  )
})

t.test('the description can be read as a page, from this server alone', async (t) => {
  const { app } = await startService(t)
  const page = await app.inject({ url: '/docs/' })
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /(?:src|href)="https?:/)
})
