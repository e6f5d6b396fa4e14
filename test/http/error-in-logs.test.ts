// Errors are logged without any value that a caller sent.

import { Redis } from 'ioredis'
import t from 'tap'
import { errorInLogs } from '../../src/http/error-in-logs.js'
import { randomHashText, startService, until } from '../helpers/service.js'

t.test('an error of Redis is logged without the command’s values', async (t) => {
  const { redis } = await startService(t)
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const hash = randomHashText()

  const errors = await Promise.all([
    client.call('TABIR.NONE', hash).catch((error: unknown) => error),
    client
      .eval('return redis.call("INCRBY", KEYS[1], ARGV[1])', 1, `{tabir}:x:${hash}`, hash)
      .catch((error: unknown) => error),
  ])

  for (const error of errors) {
    t.ok(error instanceof Error && 'command' in error, 'ioredis adds the command to the error')
    const logged = JSON.stringify(errorInLogs(error))
    t.match(logged, /ReplyError/)
    t.notMatch(logged, hash)
  }
})

t.test('the cause of a logged error is its type without a message, and a thrown string is logged as no error', async (t) => {
  const cause = new SyntaxError('Unexpected token in "secret"')
  const logged = errorInLogs(new TypeError('broken', { cause }))
  t.match(logged, { type: 'TypeError', message: 'broken', cause: 'SyntaxError', stack: /error-in-logs/ })
  t.notMatch(JSON.stringify(logged), /secret/)
  t.match(errorInLogs(Object.assign(new Error('x'), { code: 'EPIPE', rawPacket: Buffer.from('secret') })), {
    code: 'EPIPE',
  })
  t.same(errorInLogs('secret'), { type: 'string', message: 'thrown, and not an error', stack: '' })
})

t.test('the id of a problem’s instance is in the log line of its request', async (t) => {
  const { app, log } = await startService(t, { logLevel: 'info' })
  const answers = await Promise.all([
    app.inject({ method: 'POST', url: '/v1/match', payload: { queries: [] } }),
    app.inject({ method: 'GET', url: '/v1/cases/TBR-0000-0000-0000' }),
  ])

  for (const answer of answers) {
    const id = answer.json<{ instance: string }>().instance.slice('urn:uuid:'.length)
    const lines = () => log.filter((line) => line.includes(`"reqId":"${id}"`))
    await until(() => lines().length > 0) // a line is written when its answer has left
    const own = lines().map((line) => JSON.parse(line) as Record<string, unknown>)
    t.match(own, [{ status: answer.statusCode, route: /^\/v1\/(match|cases\/:caseNumber)$/ }])
    t.equal(own.length, 1)
  }
})
