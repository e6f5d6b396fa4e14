// Steps about the expiry of cases. The sweep is the workers' own, run once; an expired case has its end moved into the past.

import { createCaseAccess } from '../../src/services/cases/case-access.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { caseLifeHandler } from '../../workers/case-life.js'
import { checkErased } from './check.js'
import { homeEnded, thingsIn } from './model.js'
import { isOpen } from './perform-signals.js'
import { type Scene, thingName } from './scene.js'
import type { StepOf } from './steps.js'
import { SEAL_KEY } from './world.js'

const AGE_MS = 60_000
const DAY_MS = 86_400_000

/** A case is over its time, and the next sweep ends it. */
export async function expire(scene: Scene, { home }: StepOf<'expire'>): Promise<void> {
  const own = scene.cases.get(home)
  if (own === undefined || !isOpen(scene, home)) return
  let isCertain = false
  try {
    await endTime(scene, own.caseNumber)
    await sweep(scene, Date.now())
    isCertain = !scene.isDegraded
  } catch {
    // Redis is unavailable or refuses writes: then nothing is known of the case.
  }
  homeEnded(scene.model, home, isCertain)
  if (isCertain) for (const thing of thingsIn(scene.model, home)) await checkErased(scene, thingName(thing))
}

/** A sweep by a worker whose clock is far ahead. Nothing ends, since the store's clock disagrees. */
export async function sweepAhead(scene: Scene, { days }: StepOf<'sweep-ahead'>): Promise<void> {
  await sweep(scene, Date.now() + days * DAY_MS).catch(() => {})
}

async function sweep({ world }: Scene, nowMs: number): Promise<void> {
  await caseLifeHandler({ target: world.target, now: () => nowMs, warn: () => {} })('expire')
}

async function endTime({ world }: Scene, caseNumber: string): Promise<void> {
  const store = await openStore(world.target)
  try {
    const cases = createCaseStore(store)
    const { caseId } = await createCaseAccess(cases, await loadSecrets(store, makeKeyring([SEAL_KEY]))).byNumber(caseNumber)
    const endedMs = Date.now() - AGE_MS
    await store.ask((redis) =>
      redis.multi().hset(keys.case(caseId), 'expiresAtMs', endedMs).zadd(keys.caseSchedule, endedMs, caseId).exec(),
    )
  } finally {
    await store.close()
  }
}
