import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWebhookStore } from '../../src/store/webhooks/webhooks.js'
import { storeAt } from '../helpers/redis.js'
import { post } from '../helpers/requests.js'
import { keyFor, startService } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'

t.test('tabir webhooks remove erases a webhook and its data, and is audited', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const { app, redis } = service
  const tabir = tabirBeside(service)
  const { headers } = await keyFor(service, 'A platform', ['webhooks'])
  const url = 'https://hooks.example/in/word-of-theirs?token=another-word'
  const added = async () => {
    const answer = await post(app, '/v1/webhooks', { url, events: ['case.updated'] }, headers)
    return answer.json<{ webhookId: string; secret: string }>()
  }
  const [gone, stays] = [await added(), await added()]
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const keysOf = async (webhookId: string) => (await store.ask((client) => client.keys(`*${webhookId}*`))).sort()
  await store.ask((client) => client.hset(`{tabir}:webhook-health:${gone.webhookId}`, 'failures', 3, 'failingSinceMs', 1e12))

  const listed = await tabir('webhooks', 'list')
  t.match(listed, { status: 0, errors: /^Store: \S+\n$/ })
  t.match(listed.rows, [
    {
      webhookId: gone.webhookId,
      org: 'A platform',
      to: 'https://hooks.example',
      events: 'case.updated',
      enabled: true,
      failures: 3,
      failingSince: '2001-09-09T01:46:40.000Z',
    },
    { webhookId: stays.webhookId, failures: 0 },
  ])
  for (const secret of ['word-of-theirs', 'another-word', gone.secret]) t.notOk(listed.out.includes(secret))

  const removed = await tabir('webhooks', 'remove', gone.webhookId)

  t.same(removed.rows, [{ webhookId: gone.webhookId, removed: true }])
  t.same(await keysOf(gone.webhookId), [])
  const { webhooks: all } = await createWebhookStore(store, makeKeyring([SEAL_KEY])).readable()
  t.match(all, [{ webhookId: stays.webhookId }])
  t.equal(all.length, 1)
  t.match(await app.inject({ url: '/v1/webhooks', headers }).then((answer) => answer.json<object>()), {
    webhooks: [{ webhookId: stays.webhookId }],
  })
  const acts = (await tabir('audit', 'list')).rows
  t.match(
    acts.filter((act) => JSON.stringify(act).includes('webhook.removed')),
    [{ act: 'webhook.removed', by: 'operator', about: { webhookId: gone.webhookId } }],
  )
  t.match(await tabir('webhooks', 'remove', gone.webhookId), { status: 1, rows: [], errors: 'There is no such webhook.\n' })
})

t.test('wrong arguments of tabir webhooks are refused with a message and a status', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const nobodys = '00000000-0000-7000-8000-000000000000'
  for (const args of [[], ['list', 'x'], ['remove'], ['remove', 'x'], ['remove', nobodys, 'x'], ['disable', nobodys]])
    t.match(await tabir('webhooks', ...args), { status: 2, rows: [], errors: /tabir webhooks/ }, args.join(' '))
  t.match(await tabir('webhooks', 'list'), { status: 0, rows: [] })
})
