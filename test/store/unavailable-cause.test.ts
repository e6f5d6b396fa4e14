// Why Redis is unavailable: one cause for each way in which an operator can break it, with a real Redis.

import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Problem } from '../../src/domain/problem.js'
import { StoreUnavailableError, type UnavailableCause } from '../../src/domain/store-unavailable.js'
import { openStore } from '../../src/store/redis/client.js'
import { isUnavailable, unavailableErrorFor } from '../../src/store/redis/unavailable-cause.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const SET = { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], 'x')" } as const

async function open(t: Test) {
  const redis = await startRedis(t)
  const operator = new Redis(redis.socket)
  operator.on('error', () => {})
  const store = await openStore(storeAt(redis.socket))
  t.teardown(async () => {
    operator.disconnect()
    await store.close()
  })
  const causeNow = async () => {
    const error: Problem | undefined = await store.write(SET, ['a'], []).then(
      () => undefined,
      (why: Problem) => why,
    )
    if (error === undefined) return undefined
    if (error.code !== 'store-unavailable') throw error
    return error.cause instanceof StoreUnavailableError ? error.cause.unavailableCause : 'none'
  }
  return { redis, operator, store, causeNow }
}

const BROKEN_BY: readonly (readonly [UnavailableCause, (operator: Redis) => Promise<unknown>])[] = [
  ['log-off', (operator) => operator.config('SET', 'appendonly', 'no')],
  ['out-of-memory', (operator) => operator.config('SET', 'maxmemory', '1')],
  ['permission', (operator) => operator.call('ACL', 'SETUSER', 'default', '-set')],
  ['permission', (operator) => operator.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha')],
  [
    'credentials',
    async (operator) => {
      await operator.config('SET', 'requirepass', 'another')
      await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    },
  ],
  ['not-master', (operator) => operator.replicaof('127.0.0.1', 1)],
]

for (const [wanted, brokenBy] of BROKEN_BY) {
  t.test(`a store that cannot be used reports the cause ${wanted}`, async (t) => {
    const { operator, store, causeNow } = await open(t)
    t.equal(await causeNow(), undefined)

    await brokenBy(operator)

    await until(async () => (await causeNow()) === wanted)
    t.ok((store.unavailableCounts.get(wanted) ?? 0) > 0, 'the cause is counted')
  })
}

t.test('a killed store reports the cause connection, and none after its restart', async (t) => {
  const { redis, causeNow } = await open(t)
  redis.server.kill()
  await until(async () => (await causeNow()) === 'connection')
  await redis.reopen()
  await until(async () => (await causeNow()) === undefined)
})

t.test('messages of other servers, certificate errors and missing answers have a cause', async (t) => {
  const causes = (messages: readonly string[]) =>
    messages.map((text) => unavailableErrorFor(new Error(text)).unavailableCause)
  t.same(
    causes([
      'MISCONF Errors writing to the AOF file: No space left on device',
      'WRONGPASS invalid username-password pair or user is disabled.',
      'LOADING Redis is loading the dataset in memory',
      'connect ECONNREFUSED 127.0.0.1:6379',
    ]),
    ['disk', 'credentials', 'busy', 'connection'],
  )
  const certificate = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  t.equal(unavailableErrorFor(new Error('Connection is closed.'), certificate).unavailableCause, 'certificate')
  t.equal(unavailableErrorFor(undefined).unavailableCause, 'disk-silent')
})

t.test('errors inside a script have their cause with Redis before 7.0 too', async (t) => {
  const inScript = (text: string) =>
    new Error(`ERR Error running script (call to f_${'a1'.repeat(20)}): @user_script:7: @user_script: 7: -${text}`)
  for (const [text, cause] of [
    ['MISCONF Errors writing to the AOF file: No space left on device', 'disk'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'out-of-memory'],
    ["READONLY You can't write against a read only replica.", 'not-master'],
    ["NOPERM The user executing the script can't run this command or subcommand", 'permission'],
  ] as const) {
    t.ok(isUnavailable(inScript(text)), text)
    t.equal(unavailableErrorFor(inScript(text)).unavailableCause, cause)
  }
  t.notOk(isUnavailable(inScript('ERR value is not an integer or out of range')), 'a bug of the script')
  t.notOk(isUnavailable(inScript('WRONGTYPE Operation against a key holding the wrong kind of value: MISCONF')))
})
