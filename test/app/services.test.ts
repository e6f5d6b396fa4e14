// Starts of the services that fail at each part in turn, with a real Redis: nothing is left open.

import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { createLifecycle, type Lifecycle } from '../../src/app/lifecycle.js'
import type { ServiceOptions } from '../../src/app/service-options.js'
import { openServices } from '../../src/app/services.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const redis = await startRedis(t)
const intervals = countIntervals()
const troubles: unknown[] = []
await until(() => !openNow().includes('SimpleShutdownWrap')) // of the connection that checked for Redis

t.test('a start that fails behind any part leaves nothing open', async (t) => {
  const names: string[] = []
  const whole = createLifecycle()
  const before = openNow()
  const services = await openServices(
    options(),
    noting(whole, (name) => names.push(name)),
  )
  await services.hydrate()
  t.ok(openNow().includes('TCPServerWrap'), 'open servers are visible')
  await services.close()
  await until(() => openedSince(before).length === 0)
  for (const name of [
    'store',
    'replica',
    'probing',
    'match recorder',
    'erasure of banks',
    'watching',
    'listener for workers',
    'records',
  ])
    t.ok(names.includes(name), name)

  for (const [i, name] of names.entries()) {
    let count = 0
    const failing = noting(createLifecycle(), () => {
      if (count++ === i) throw new Error(`no further than ${name}`)
    })
    await t.rejects(openServices(options(), failing), { message: `no further than ${name}` })
    await until(() => openedSince(before).length === 0)
    t.pass(name)
  }
  t.same(troubles, [])
})

t.test('a start whose hand-off port is taken leaves nothing open', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const before = openNow()
  const handoff = { host: '127.0.0.1', port, announcedHost: '127.0.0.1' }
  await t.rejects(openServices({ ...options(), handoff }), { code: 'EADDRINUSE' })
  await until(() => openedSince(before).length === 0)
})

function options(): ServiceOptions {
  return {
    redis: storeAt(redis.socket),
    keyring: () => makeKeyring([Buffer.alloc(32, 7)]),
    handoff: { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' },
    retentionMs: 86_400_000,
    env: 'test',
    snapshots: undefined,
    withdrawalsFolder: undefined,
    trustLimits: { maxImagesPerCase: 10_000, maxSignalsPerOrgPerDay: 0, proofRounds: 0 },
    webhookOrigins: new Set(),
    extendedProtection: true,
    maxWatchesPerOrg: 1,
    now: Date.now,
    clock: () => performance.now(),
    onError: (error) => troubles.push(error),
    onAuditHead: () => {},
  }
}

/** Calls `note` for each part that is added. */
function noting(lifecycle: Lifecycle, note: (name: string) => void): Lifecycle {
  return {
    ...lifecycle,
    add(name, stop, stopTimeoutMs) {
      lifecycle.add(name, stop, stopTimeoutMs)
      note(name)
    },
    keep(name, part, stopTimeoutMs) {
      lifecycle.keep(name, part, stopTimeoutMs)
      note(name)
      return part
    },
  }
}

/** Resources that keep this process alive, and an entry for each interval. */
function openNow(): string[] {
  const open = process.getActiveResourcesInfo().filter((name) => !['Immediate', 'Timeout'].includes(name))
  return [...open.toSorted(), ...Array.from(intervals, () => 'interval')]
}

/** What is open beyond what was open before. What was open then may have been closed since, for example the pipe of an ended program. */
function openedSince(before: readonly string[]): string[] {
  const rest = [...before]
  return openNow().filter((name) => {
    const at = rest.indexOf(name)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** Intervals set from here on and not cleared. Node does not list those that do not keep a process alive. */
function countIntervals(): ReadonlySet<NodeJS.Timeout> {
  const open = new Set<NodeJS.Timeout>()
  const { setInterval: set, clearInterval: clear } = globalThis
  globalThis.setInterval = Object.assign((...args: Parameters<typeof set>) => {
    const timer = set(...args)
    open.add(timer)
    return timer
  }, set)
  globalThis.clearInterval = (timer) => {
    if (typeof timer === 'object') open.delete(timer)
    clear(timer)
  }
  return open
}
