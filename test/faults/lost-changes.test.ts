// A real failover loses a change while a process is suspended, and a withdrawal gets its number before the process resumes.

import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { freePorts } from '../helpers/ports.js'
import { imageOf } from '../helpers/registered-image.js'
import { until } from '../helpers/service.js'
import { answering, infoOf, keep } from './sentinels.js'

const WAIT_MS = 60_000
const Answer = z.object({
  reason: z.string().optional(),
  revision: z.number().optional(),
  losses: z.array(z.string()),
  found: z.array(z.string()).optional(),
})

t.test('a process suspended during a failover does not keep a lost change', async (t) => {
  const folder = t.testdir()
  const [one = 0, other = 0, watcher = 0] = await freePorts(3)
  const server = (port: number, masterPort?: number) =>
    keep('redis-server', join(folder, String(port)), [
      ...['--port', String(port), '--bind', '127.0.0.1', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ...['--repl-diskless-sync-delay', '0'],
      ...(masterPort === undefined ? [] : ['--replicaof', '127.0.0.1', String(masterPort)]),
    ])
  const [master, replica, back] = [server(one), server(other, one), server(one, other)]
  const home = join(folder, 'sentinel')
  const sentinel = keep('redis-server', home, [join(home, 'sentinel.conf'), '--sentinel'])
  t.teardown(() => Promise.all([master, replica, back, sentinel].map((each) => each.kill())))
  master.start()
  await answering(one)
  replica.start()
  await until(async () => (await infoOf(one)).includes('state=online'), WAIT_MS)
  const lines = [
    ...[`port ${watcher}`, 'bind 127.0.0.1', `sentinel monitor tabir 127.0.0.1 ${one} 1`],
    ...['sentinel down-after-milliseconds tabir 1000', 'sentinel failover-timeout tabir 3000'],
  ]
  writeFileSync(join(home, 'sentinel.conf'), `${lines.join('\n')}\n`)
  sentinel.start()
  await until(async () => (await infoOf(watcher)).includes('slaves=1'), WAIT_MS)
  const url = `redis+sentinel://127.0.0.1:${watcher}/tabir`
  const store = await openStore({ url: `${url}?replicas=1`, socket: undefined })
  t.teardown(() => store.close())
  const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const [hers, lost] = [someImage(), someImage()]
  await images.put([hers])
  const child = await startFollowing(url)
  t.teardown(() => child.kill('SIGKILL'))

  await replica.kill()
  await t.rejects(images.put([lost]), { code: 'store-unavailable' }, 'it was not acknowledged')
  await until(async () => (await ask(child, [lost.id])).found?.length === 1, WAIT_MS)
  const { revision: before } = await ask(child, [])
  child.kill('SIGSTOP')
  await master.kill()
  replica.start()
  await until(async () => (await infoOf(other)).includes('role:master'), WAIT_MS)
  back.start()
  await until(async () => (await infoOf(other)).includes('state=online'), WAIT_MS)
  let withdrawn: number | undefined
  await until(async () => {
    withdrawn = await images.erase(hers.id).catch(() => undefined)
    return withdrawn !== undefined
  }, WAIT_MS)
  t.equal(withdrawn, before, 'the number was given twice')

  child.kill('SIGCONT')
  await until(async () => (await ask(child, [])).found !== undefined, WAIT_MS)
  const { found, losses } = await ask(child, [hers.id, lost.id])
  t.same(found, [], 'from its first answer on')
  t.same(losses, ['history-diverged'])
})

function someImage() {
  return { id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }
}

async function startFollowing(url: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('../helpers/following-process.js', import.meta.url)), [url])
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, ids: readonly string[]): Promise<z.infer<typeof Answer>> {
  child.send([...ids])
  const [answer] = await once(child, 'message')
  return Answer.parse(answer)
}
