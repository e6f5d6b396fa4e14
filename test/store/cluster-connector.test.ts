// How the master is found in a Cluster, with nodes that say what a test has them say: silent ones, ones that are behind, ones that are gone. Real
// ones: test/store/cluster.test.ts, test/faults/hosts.test.ts.

import t, { type Test } from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { bulk, commandsIn, listen, type Place, startNamed, whereOf } from '../helpers/named-redis.js'
import { until } from '../helpers/service.js'

const NOWHERE = { host: '127.0.0.1', port: 1 }

t.test('one that is silent is not waited for, and one that is behind is not believed', async (t) => {
  const master = await startNamed(t, 'present')
  const silent = await startNode(t, { master: NOWHERE, epoch: 9, isSilent: true })
  const behind = await startNode(t, { master: NOWHERE, epoch: 1 })
  const knowing = await startNode(t, { master, epoch: 2 })

  const store = await openStore(targetOf(silent, behind, knowing))
  t.teardown(() => store.close())

  t.equal(await whereOf(store), 'present')
})

t.test('a master that keeps its connections, and is none any more, is left when a replica of it says so', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const replica = await startNode(t, { master: before, epoch: 1 })
  const behind = await startNode(t, { master: before, epoch: 1 })
  const seed = await startNode(t, { master: before, epoch: 1, replicas: [replica, behind] })
  const store = await openStore(targetOf(seed))
  t.teardown(() => store.close())
  t.equal(await whereOf(store), 'before')
  await until(() => replica.questions() > 0 && behind.questions() > 0)

  for (const node of [replica, seed]) node.say({ master: after, epoch: 2, replicas: [behind] })
  await until(async () => (await whereOf(store)) === 'after')
  t.pass('nothing had to fail first')

  const [left, asked] = [before.reached(), behind.questions()]
  await until(() => behind.questions() > asked + 4)
  t.equal(await whereOf(store), 'after', 'one that has not heard of it yet is not believed')
  t.equal(before.reached(), left)
})

t.test('one that has become a replica since is asked as well', async (t) => {
  const after = await startNamed(t, 'after')
  const late = await startNode(t, { master: NOWHERE, epoch: 0 })
  const says: { replicas: Place[] } = { replicas: [] }
  const master: Place = await startNamed(t, 'before', (words) => asNode(words, { master, epoch: 1, ...says }))
  const store = await openStore(targetOf(master))
  t.teardown(() => store.close())
  t.equal(await whereOf(store), 'before')

  says.replicas = [late]
  await until(() => late.questions() > 0)
  late.say({ master: after, epoch: 2, replicas: [late] })
  await until(async () => (await whereOf(store)) === 'after')
  t.pass('it is the new master')
})

t.test('what one that is gone said of others is known', async (t) => {
  const [before, after] = [await startNamed(t, 'before'), await startNamed(t, 'after')]
  const replica = await startNode(t, { master: before, epoch: 1 })
  const seed = await startNode(t, { master: before, epoch: 1, replicas: [replica] })
  const store = await openStore(targetOf(seed))
  t.teardown(() => store.close())
  t.equal(await whereOf(store), 'before')

  seed.close()
  before.close()
  replica.say({ master: after, epoch: 2 })
  await until(async () => (await whereOf(store)) === 'after')
  t.pass('a replica that nobody named was asked')
})

t.test('when no node says who has the keys, the start says why', async (t) => {
  const nodes = [await startNode(t, {}), await startNode(t, {})]
  await t.rejects(openStore(targetOf(...nodes)), /CLUSTERDOWN/)
})

interface Says {
  readonly master?: Place
  readonly epoch?: number
  readonly replicas?: readonly Place[]
  readonly isSilent?: boolean
}

function targetOf(...nodes: readonly Place[]) {
  return { url: `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`, socket: undefined }
}

async function startNode(t: Test, first: Says) {
  let says = first
  let questions = 0
  const place = await listen(t, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const command of commandsIn(data.toString('latin1'))) {
        if (says.isSilent === true) return
        const words = command.toUpperCase()
        if (words.includes('NODES')) questions++
        const answer = asNode(words, says)
        if (answer !== undefined) socket.write(answer)
        else if (words.includes('INFO') && !words.includes('SETINFO')) socket.write(bulk('redis_mode:cluster\r\n'))
        else if (words.includes('HELLO')) socket.write("-ERR unknown command 'HELLO'\r\n")
        else socket.write('+OK\r\n')
      }
    })
  })
  return {
    ...place,
    questions: () => questions,
    say(next: Says) {
      says = next
    },
  }
}

/** What a node answers to a command in capitals; `undefined` when it is not about nodes. */
function asNode(words: string, says: Says): string | undefined {
  if (!words.includes('CLUSTER')) return undefined
  if (words.includes('KEYSLOT')) return ':7\r\n'
  if (words.includes('SLOTS')) return slotsOf(says)
  return bulk(`${ID} 127.0.0.1:1@2 master - 0 0 ${says.epoch ?? 0} connected 0-16383\n`)
}

const ID = 'a'.repeat(40)
const nodeOf = ({ host, port }: Place) => `*3\r\n${bulk(host)}:${port}\r\n${bulk(ID)}`

function slotsOf({ master, replicas = [] }: Says): string {
  if (master === undefined) return '*0\r\n'
  const nodes = [master, ...replicas].map(nodeOf)
  return `*1\r\n*${2 + nodes.length}\r\n:0\r\n:16383\r\n${nodes.join('')}`
}
