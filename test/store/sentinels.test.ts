// Finding the master by Sentinels, with simulated ones that are silent, late or behind. With real
// ones: test/faults/failover.ts and test/faults/hosts.test.ts.

import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { onceRedisAnswers } from '../../src/app/first-answer.js'
import { connectForFollowing, interrupt, openStore, reach } from '../../src/store/redis/client.js'
import { bulk, commandsIn, listen, type Place, startNamed, whereOf } from '../helpers/named-redis.js'
import { until } from '../helpers/service.js'

t.test('a silent Sentinel is not waited for, and one with an older epoch is ignored', async (t) => {
  const master = await startNamed(t, 'present')
  const nowhere = { host: '127.0.0.1', port: 1 }
  const silent = await startSentinel(t, { master: nowhere, epoch: 9, isSilent: true })
  const behind = await startSentinel(t, { master: nowhere, epoch: 1 })
  const knowing = await startSentinel(t, { master, epoch: 2 })

  const store = await openStore(targetOf(silent, behind, knowing))
  t.teardown(() => store.close())

  t.equal(await whereOf(store), 'present')
})

t.test('a connection that is being made during a failover leads to the new master', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinels = [await startSentinel(t, says), await startSentinel(t, says), await startSentinel(t, says)]
  const store = await openStore(targetOf(...sentinels))
  t.teardown(() => store.close())
  t.equal(await whereOf(store), 'before')
  await until(() => sentinels.every(({ listeners }) => listeners() > 0))

  const asked = sentinels.map((sentinel) => sentinel.hold())
  before.breakOff()
  await Promise.all(asked)
  for (const sentinel of sentinels) sentinel.tell(before, after)
  Object.assign(says, { master: after, epoch: 2 })
  for (const sentinel of sentinels) sentinel.release()

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('the store follows the new master')
})

t.test('a connection that is interrupted while it is being made is made again', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinel = await startSentinel(t, says)
  const follower = connectForFollowing(targetOf(sentinel))
  t.teardown(() => follower.disconnect())
  await reach(follower)

  const asked = sentinel.hold()
  before.breakOff()
  await asked
  interrupt(follower)
  Object.assign(says, { master: after, epoch: 2 })
  sentinel.release()
  t.equal(await follower.get('where'), 'after')

  interrupt(follower)
  t.equal(await follower.get('where'), 'after', 'an existing connection is made again too')
})

t.test('a former master that keeps its connections is left when a Sentinel announces a new one', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinels = [await startSentinel(t, says), await startSentinel(t, says)]
  const store = await openStore(targetOf(...sentinels))
  t.teardown(() => store.close())
  await until(() => sentinels.every(({ listeners }) => listeners() > 0))

  Object.assign(says, { master: after, epoch: 2 })
  for (const sentinel of sentinels) sentinel.tell(before, after)

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('without a failed command')
})

t.test('a failover between asking for the master and subscribing is not missed', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinels = [await startSentinel(t, says), await startSentinel(t, says)]
  for (const sentinel of sentinels) sentinel.onListener(() => Object.assign(says, { master: after, epoch: 2 }))
  // If it is noticed before the first master answered at all, the connection fails and is retried, as at every start.
  const store = await onceRedisAnswers(() => openStore(targetOf(...sentinels)), { onWaiting: () => {} })
  t.teardown(() => store.close())

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('without an announcement')
})

t.test('an answer that is older than an announcement is ignored', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinel = await startSentinel(t, says)
  const store = await openStore(targetOf(sentinel))
  t.teardown(() => store.close())
  await until(() => sentinel.questions() === 8) // two connections, to read and to write, each ask twice for address and epoch

  const asked = sentinel.hold()
  before.breakOff()
  await asked
  sentinel.tell(before, after)
  sentinel.release() // the epoch is asked for next, so the announcement arrives before the answer is complete
  Object.assign(says, { master: after, epoch: 2 })

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('the master was asked for again')
})

interface Says {
  readonly master: Place
  readonly epoch: number
  readonly isSilent?: boolean
}

function targetOf(...sentinels: readonly Place[]) {
  return {
    url: `redis+sentinel://${sentinels.map(({ host, port }) => `${host}:${port}`).join(',')}/tabir`,
    socket: undefined,
  }
}

async function startSentinel(t: Test, says: Says) {
  const listening = new Set<Socket>()
  let held: (() => void)[] | undefined
  let questions = 0
  let onAsked = () => {}
  let onListener = () => {}
  const place = await listen(t, (socket) => {
    const reply = (text: string) => socket.write(text)
    socket.on('error', () => {})
    socket.on('close', () => listening.delete(socket))
    socket.on('data', (data) => {
      for (const command of commandsIn(data.toString('latin1'))) {
        if (says.isSilent === true) return
        const words = command.toUpperCase()
        if (words.includes('SENTINEL')) {
          questions++
          const answer = () => reply(words.includes('GET-MASTER') ? addressOf(says) : factsOf(says))
          if (held === undefined) answer()
          else held.push(answer)
          onAsked()
        } else if (words.includes('SUBSCRIBE')) {
          onListener()
          listening.add(socket)
          reply('*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n')
        } else if (words.includes('INFO') && !words.includes('SETINFO')) reply(bulk('redis_mode:sentinel\r\n'))
        else if (words.includes('HELLO')) reply("-ERR unknown command 'HELLO'\r\n")
        else reply('+OK\r\n')
      }
    })
  })
  return {
    host: place.host,
    port: place.port,
    listeners: () => listening.size,
    questions: () => questions,
    onListener(happens: () => void) {
      onListener = happens
    },
    /** Holds back answers from now on. @returns when a question waits. */
    hold() {
      held = []
      return new Promise<void>((resolve) => {
        onAsked = resolve
      })
    },
    release() {
      for (const answer of held ?? []) answer()
      held = undefined
    },
    tell(from: Place, to: Place) {
      const text = `tabir ${from.host} ${from.port} ${to.host} ${to.port}`
      for (const socket of listening) socket.write(`*3\r\n${bulk('message')}${bulk('+switch-master')}${bulk(text)}`)
    },
  }
}

const addressOf = ({ master }: Says) => `*2\r\n${bulk(master.host)}${bulk(String(master.port))}`
const factsOf = ({ epoch }: Says) => `*2\r\n${bulk('config-epoch')}${bulk(String(epoch))}`
