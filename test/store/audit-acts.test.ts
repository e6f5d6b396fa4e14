// Reads and writes use two connections, so the reply to an act may precede the reply to a question that Redis answered before it.

import t from 'tap'
import { createAuditLog, noteInAudit } from '../../src/store/audit/audit.js'
import { AUDIT_FAULTS } from '../../src/store/audit/audit-marks.js'
import type { Store } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { startStore } from '../helpers/redis.js'

const { store, redis } = await startStore(t)
let beforeReply: () => Promise<unknown> = async () => {}
const late: Store = Object.create(store, {
  ask: {
    value: async <T>(question: Parameters<Store['ask']>[0]) => {
      const reply = await store.ask(question)
      await beforeReply()
      return reply as T
    },
  },
})
const log = createAuditLog(late, Buffer.alloc(32, 5))
const note = (keyId: string) =>
  noteInAudit(late, { act: 'key.created', by: 'operator', about: { keyId, orgId: 'o1' }, atMs: 1000 })

t.test('an act that is noted while the acts are counted is not reported as missing', async (t) => {
  await note('first')
  let isNoted = false
  beforeReply = async () => {
    if (isNoted) return
    isNoted = true
    await note('meanwhile')
  }
  t.match(await log.chain(), { number: 2 })
})

t.test('a count that was set back is reported', async (t) => {
  await note('third')
  await redis.decr(`${keys.auditDue}-count`)
  await t.rejects(log.chain(), { message: AUDIT_FAULTS['set-back'] })
})

t.test('a store that went back to an older state is not reported as acts that somebody took out', async (t) => {
  const entry = (keyId: string) =>
    ({ act: 'key.created', by: 'operator', about: { keyId, orgId: 'o1' }, atMs: 1000 }) as const
  const names = [keys.audit, keys.auditHead, keys.auditDueCount]
  for (const isChained of [false, true]) {
    await redis.flushall()
    const own = createAuditLog(store, Buffer.alloc(32, 5))
    await noteInAudit(store, entry('before'))
    await own.chain()
    const older = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
    await noteInAudit(store, entry('lost'))
    if (isChained) await own.chain()
    await redis.del(keys.auditDue)
    for (const [i, name] of names.entries()) await redis.restore(name, 0, older[i] ?? '', 'REPLACE')
    await t.rejects(own.chain(), { message: AUDIT_FAULTS['set-back'] })
    t.match(await own.verify(), { isSound: true }, 'what is there was not changed')
    await noteInAudit(store, entry('later')) // the number of the lost act occurs again
    await t.rejects(own.chain(), { message: AUDIT_FAULTS['set-back'] })
  }
})
