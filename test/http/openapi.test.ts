import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { startService } from '../helpers/service.js'

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

t.test('the description can be read as a page, from this server alone', async (t) => {
  const { app } = await startService(t)
  const page = await app.inject({ url: '/docs/' })
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /(?:src|href)="https?:/)
})
