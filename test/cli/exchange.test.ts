// `tabir exchange` against a simulated feed, as an operator types it.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

t.test('tabir exchange pulls a feed and reports what was accepted, removed and rejected', async (t) => {
  const [kept, withdrawn, other] = [randomHashText(), randomHashText(), randomHashText()]
  const record = (hashValue: string, hashStatus = 'Active', signalType = 'ImagePDQ') => ({
    lastModtimestamp: 20,
    signalType,
    hashValue,
    hashStatus,
    caseNumbers: {},
  })
  const feed = await standIn(t)
  feed.tells(record(kept), record(withdrawn), record(other.slice(32)), record(other, 'Active', 'VideoTMK'))
  const config = { name: 'theirs', bank: 'theirs', baseUrl: `${feed.url}/v1`, functionKey: 'k', subscriptionKey: 's' }
  const service = await startService(t, {
    exchanges: exchangesIn(JSON.stringify({ exchanges: [{ ...config, api: 'stopncii', intervalS: 86_400 }] })),
  })
  const admin = await keyFor(service, 'operator', ['admin', 'match', 'signals:write'], 'operator')
  await ask(service, 'POST', '/v1/banks', admin.headers, { name: 'theirs' })
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const tabir = (...args: string[]) => run(admin.key, ['exchange', ...args, '--url', url])
  const found = async (hash: string) => {
    const answer = await ask(service, 'POST', '/v1/match', admin.headers, {
      queries: [{ signals: [{ type: 'pdq', hash }] }],
    })
    return answer.json<{ results: [{ matches: unknown[] }] }>().results[0].matches.length
  }

  t.match(await tabir('list'), {
    status: 0,
    errors: /^Api: \S+\n$/,
    rows: [{ name: 'theirs', api: 'stopncii', state: null }],
  })
  service.services.beginPulling()
  const first = await tabir('pull', 'theirs')
  t.match(first, {
    status: 0,
    errors: /^Api: \S+\n$/,
    rows: [{ name: 'theirs', bank: 'theirs', state: 'waiting', failure: null, accepted: Number, removed: 0 }],
  })
  t.same([await found(kept), await found(withdrawn)], [1, 1], 'the hashes match when the command ends')

  t.same(Object.keys(Object(first.rows[0]).rejectedFor).sort(), ['hash-malformed', 'signal-type-unknown'])

  feed.tells(record(withdrawn, 'Withdrawn'))
  t.match(await tabir('pull', 'theirs'), { status: 0, rows: [{ state: 'waiting', removed: 1 }] }, 'right after another pull')
  t.same([await found(kept), await found(withdrawn)], [1, 0])

  feed.stop()
  t.match(await tabir('pull', 'theirs'), { status: 1, rows: [{ state: 'failed', failure: 'credentials-rejected' }] })
  t.match(await tabir('list'), { status: 0, rows: [{ state: 'failed', failure: 'credentials-rejected', removed: 1 }] })
  t.match(await tabir('pull', 'nobody'), { status: 1, errors: /\S/ })
  const stranger = await keyFor(service, 'stranger', ['match'])
  t.match(await run(stranger.key, ['exchange', 'list', '--url', url]), { status: 1, errors: /\S/ })
  for (const args of [['exchange'], ['exchange', 'pull'], ['exchange', 'list', 'theirs'], ['exchange', 'pull', '../x']])
    t.match(await run(admin.key, args), { status: 2, errors: /tabir exchange list/ })
  const said = JSON.stringify([first, await tabir('list')])
  for (const secret of [kept, withdrawn, admin.key, feed.url]) t.notOk(said.includes(secret))
})

/** A feed that answers the same records until a test changes them. */
async function standIn(t: Pick<Test, 'teardown'>) {
  let isLetIn = true
  let hashRecords: object[] = []
  const server = createServer((_, response) => {
    response.statusCode = isLetIn ? 200 : 401
    response.end(JSON.stringify({ count: hashRecords.length, nextSetTimestamp: 20, hasMoreRecords: false, hashRecords }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    tells: (...records: object[]) => {
      hashRecords = records
    },
    stop: () => {
      isLetIn = false
    },
  }
}

function run(key: string, args: readonly string[]): Promise<{ status: number; rows: object[]; errors: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], TABIR_API_KEY: key }
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (_, out, errors) =>
      resolve({
        status: child.exitCode ?? 1,
        rows: out
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line)),
        errors,
      }),
    )
  })
}
