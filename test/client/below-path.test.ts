// The client, the feed and the command line reach a service that a proxy serves below a path.

import { join } from 'node:path'
import t from 'tap'
import { tabirClient } from '../../packages/client/src/tabir-client.js'
import { openFeed } from '../../packages/feed/src/follow.js'
import { startProxyBelowPath } from '../helpers/proxy-below-path.js'
import { del } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import { runTabir } from '../helpers/tabir.js'

t.test('client, feed and command line reach a service below a path', async (t) => {
  const service = await startService(t)
  const proxy = await startProxyBelowPath(t, `http://127.0.0.1:${await listen(service.app)}`)
  const { key } = await keyFor(service, 'ngo', ['signals:write', 'match', 'feed', 'admin'], 'ngo')
  const her = await openCase(service.app)
  const receipt = await del(service.app, her.url, her.headers)
  const hash = randomHashText()
  const folder = t.testdir({ list: `${hash}\n`, receipt: receipt.body })
  const list = join(folder, 'list')

  for (const [bank, url] of [
    ['one', proxy.url],
    ['two', `${proxy.url}/`],
  ] as const) {
    const tabir = tabirClient({ url, key })
    await tabir.call('createBank', { body: { name: bank } })
    const env = { PATH: process.env['PATH'] ?? '', TABIR_URL: url, TABIR_API_KEY: key }
    const imported = await runTabir(env, ['import', list, '--bank', bank])
    t.equal(imported.status, 0, imported.errors)
    t.match(imported.errors, `Api: ${proxy.url}\n`)
    const [result] = await tabir.match([{ signals: [{ type: 'pdq', hash }] }])
    t.ok(result?.matches?.some((match) => match.bank === bank))
    const feed = await openFeed({ baseUrl: url, key })
    await feed.sync()
    t.ok(feed.size > 0)
    // It waits five seconds at most, which a busy machine may exceed.
    await until(async () => (await runTabir(env, ['index', 'status'])).status === 0)
    const verified = await runTabir(env, ['receipts', 'verify', join(folder, 'receipt')])
    t.equal(verified.status, 0, verified.errors)
  }
  t.same(proxy.outside, [])
})
