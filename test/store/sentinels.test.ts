// How the master is found that Sentinels know, with Sentinels that say what a test has them say: silent ones, late ones, ones that are behind. Real
// ones: test/faults/failover.ts, test/faults/hosts.test.ts.

import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { onceRedisAnswers } from '../../src/app/first-answer.js'
import { connectForFollowing, interrupt, openStore, reach } from '../../src/store/redis/client.js'
import { bulk, commandsIn, listen, type Place, startNamed, whereOf } from '../helpers/named-redis.js'
import { until } from '../helpers/service.js'

t.test('one that is silent is not waited for, and one that is behind is not believed', async (t) => {
  const master = await startNamed(t, 'present')
  const nowhere = { host: '127.0.0.1', port: 1 }
  const silent = await startSentinel(t, { master: nowhere, epoch: 9, isSilent: true })
  const behind = await startSentinel(t, { master: nowhere, epoch: 1 })
  const knowing = await startSentinel(t, { master, epoch: 2 })

  const store = await openStore(targetOf(silent, behind, knowing))
  t.teardown(() => store.close())

  t.equal(await whereOf(store), 'present')
})

t.test('a connection that is being made when there is another master leads to that one', async (t) => {
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
  t.pass('it has not ended')
})

t.test('a connection that is interrupted while it is being made is made', async (t) => {
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
  t.equal(await follower.get('where'), 'after', 'and one that is there is made again')
})

t.test('a master that keeps its connections, and is none any more, is left when a Sentinel says so', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinels = [await startSentinel(t, says), await startSentinel(t, says)]
  const store = await openStore(targetOf(...sentinels))
  t.teardown(() => store.close())
  await until(() => sentinels.every(({ listeners }) => listeners() > 0))

  Object.assign(says, { master: after, epoch: 2 })
  for (const sentinel of sentinels) sentinel.tell(before, after)

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('nothing had to fail first')
})

t.test('a change between the question for the master and the first moment of listening is not missed', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinels = [await startSentinel(t, says), await startSentinel(t, says)]
  for (const sentinel of sentinels) sentinel.onListener(() => Object.assign(says, { master: after, epoch: 2 }))
  // Who hears of it before the first one has answered at all gives that one up, and begins anew, as every start does.
  const store = await onceRedisAnswers(() => openStore(targetOf(...sentinels)), { onWaiting: () => {} })
  t.teardown(() => store.close())

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('nobody had to tell')
})

t.test('an answer that is older than what was told meanwhile is not believed', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const says = { master: before, epoch: 1 }
  const sentinel = await startSentinel(t, says)
  const store = await openStore(targetOf(sentinel))
  t.teardown(() => store.close())
  await until(() => sentinel.questions() === 8) // a connection to read and one to write: each asks twice for address and epoch

  const asked = sentinel.hold()
  before.breakOff()
  await asked
  sentinel.tell(before, after)
  sentinel.release() // and then the epoch is asked for, so what was told is heard before the answer is whole
  Object.assign(says, { master: after, epoch: 2 })

  await until(async () => (await whereOf(store)) === 'after')
  t.pass('it was asked for again')
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
    /** Questions wait for their answers from now on. @returns when one does. */
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
