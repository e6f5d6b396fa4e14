// Names of our tables in Lua and in documents, which the compiler cannot check.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { CASE_EVENT_KINDS, CASE_EVENTS } from '../../src/domain/cases/case-event.js'
import { EVENT_KINDS, EVENTS } from '../../src/domain/organisations/event.js'
import { WEBHOOK_EVENT_NAMES } from '../../src/domain/organisations/webhook.js'
import { EXPORT_FORMATS } from '../../src/exchange/signal-writer.js'
import { CHANGE_OPS, isChangeOp } from '../../src/store/scripts/change-ops.js'

const root = resolve(import.meta.dirname, '../../..')
const SCRIPTS = join(root, 'src/store/scripts')
const lua = readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(SCRIPTS, name), 'utf8'))
  .join('\n')

/** The words at one place of all calls in scripts, without script arguments, whose callers are typed. */
function wordsIn(call: RegExp): string[] {
  return [...new Set([...lua.matchAll(call)].map(([, word]) => word ?? ''))].sort()
}

t.test('scripts announce exactly the changes of the table', async (t) => {
  const announced = wordsIn(/announce\(revision, changes, '([^']+)'/g)
  for (const op of announced) t.ok(isChangeOp(op), op)
  const named = wordsIn(/announce\(revision, changes, (op), name\)/g)
  const marked = wordsIn(/announce\(revision, changes, 'image', \w+, '([^']+)'/g)
  const written = new Set([...announced, ...marked, ...(named.length > 0 ? ['bank', 'api-key'] : [])])
  t.same([...written].sort(), Object.keys(CHANGE_OPS).sort(), 'each of the table is announced')
})

t.test('scripts note exactly the events of the tables', async (t) => {
  const noted = wordsIn(/(?:note\(events, |XADD', events, '\*', 'kind', )'([^']+)'/g)
  t.ok(noted.length >= 6, 'the search finds them')
  for (const kind of noted) t.ok(Object.hasOwn(CASE_EVENTS, kind), kind)
  const inner = ['wake', 'webhook.ping'] // about a webhook itself
  const sent = wordsIn(/outbox\(\w+, 'kind', '([^']+)'/g).filter((kind) => !inner.includes(kind))
  t.same(
    [...sent, ...EVENT_KINDS.filter((kind) => EVENTS[kind] === 'operator-and-webhooks')].sort(),
    [...WEBHOOK_EVENT_NAMES].sort(),
    'a webhook event comes from the outbox or from the events of the operator',
  )
})

t.test('documents name each event of the operator, and openapi.yaml each export format', async (t) => {
  const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8')
  for (const kind of EVENT_KINDS) t.ok(runbook.includes(`\`${kind}\``), kind)
  const description = readFileSync(join(root, 'openapi.yaml'), 'utf8').replace(/\s+/g, ' ') // lines are wrapped
  for (const format of EXPORT_FORMATS) t.match(description, `${format}: `)
  t.equal(new Set(CASE_EVENT_KINDS).size, CASE_EVENT_KINDS.length)
})
