import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { trustStatusOf } from '../../src/domain/trust/trust.js'
import { createCaseEventStore } from '../../src/store/cases/case-events.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { follow, ORIGIN } from '../../src/store/images/changes.js'
import { createImageStore } from '../../src/store/images/images.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { MAX_CASE_EVENTS } from '../../src/store/scripts/cases/case-event.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore, type Trusts } from '../../src/store/trust/trust.js'
import { caseIdOf, caseNumberOf, imageIdOf, STEPS_A_ROUND, spokenOf } from '../helpers/case-model.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const PROCESS = fileURLToPath(new URL('../helpers/case-process.js', import.meta.url))
const CASES = 12
const ROUNDS = 5
const MAX_ROUNDS = 20
const Told = z.object({ step: z.int(), action: z.string(), outcome: z.unknown() })

t.test(
  'acknowledged steps of a case survive the kill of the process, or of the store, in the middle of any of them',
  async (t) => {
    const redis = await startRedis(t)
    const target = storeAt(redis.socket)
    const told: z.infer<typeof Told>[] = []

    const hasEnded = (as: string) => told.some(({ outcome }) => outcome === as)
    const hasSpoken = () => SPOKEN.every((kind) => told.some(({ action, outcome }) => action === kind && outcome === 'said'))
    // How many cases end, and how, depends on how far a process gets before the kill, so go on until both have
    // happened.
    const isEnough = (rounds: number) =>
      (rounds >= ROUNDS && hasEnded('withdrawn') && hasEnded('expired') && hasSpoken()) || rounds === MAX_ROUNDS

    for (let round = 0; !isEnough(round); round++) {
      const heardBefore = told.length
      const child = fork(PROCESS, [redis.socket, String(CASES), String(round * STEPS_A_ROUND)], { execArgv: [] })
      t.teardown(() => child.kill('SIGKILL'))
      const enough = new Promise<void>((resolve) => {
        child.on('message', (message) => {
          told.push(Told.parse(message))
          if (told.length - heardBefore === 150 + 37 * round) resolve()
        })
      })
      await enough
      // In turns: the process, or the store and then the process.
      if (round % 2 === 1) redis.server.kill()
      child.kill('SIGKILL')
      await once(child, 'exit')
      if (round % 2 === 1) await redis.reopen()

      const store = await openStore(target)
      const cases = createCaseStore(store)
      const trusts = createTrustStore(store)
      const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 9)]))
      const events = createCaseEventStore(store, () => connectForFollowing(target))
      const living = await livingImages(target)
      const listed = {
        disputes: new Set((await trusts.waiting('disputes', undefined, MANY)).map(({ imageId }) => imageId ?? '')),
        held: new Set((await trusts.waiting('quarantine', undefined, MANY)).map(({ imageId }) => imageId ?? '')),
      }
      for (let number = 0; number < (round + 1) * CASES; number++) {
        const caseId = caseIdOf(number)
        const record = await cases.get(caseId)
        const ofCase = told.filter(({ step }) => caseNumberOf(step, CASES) === number)
        const wasOpened = ofCase.some(({ action, outcome }) => action === 'open' && outcome === true)
        if (wasOpened) t.ok(record, 'an opened case is there')
        if (record === undefined) continue
        const kinds = (await events.list(caseId)).map(({ kind }) => kind)
        const ends = ofCase.flatMap(({ outcome }) => (outcome === 'withdrawn' || outcome === 'expired' ? [outcome] : []))
        for (const end of ends) t.equal(record.state, end, 'an ended case stays ended, and in one way')
        const registered = ofCase.filter(({ outcome }) => outcome === 'registered').map(({ step }) => imageIdOf(step))
        const stored = new Set<string>()
        for await (const some of images.ofCase(caseId)) for (const { id } of some) stored.add(id)
        if (record.end === undefined) {
          for (const id of registered) t.ok(stored.has(id) && living.has(id), 'an acknowledged image is there')
          await holdsWhatWasSaid(t, trusts, saidOf(ofCase), listed)
          t.same(
            kinds.filter((kind) => kind === 'withdrawn' || kind === 'expired'),
            [],
          )
        } else {
          const records = await images.get(registered)
          t.ok(records.every((image) => image === undefined) && stored.size === 0, 'nothing of an ended case is stored')
          t.ok(
            registered.every((id) => !living.has(id)),
            'no index finds it',
          )
          const spoken = [...new Set([...registered, ...saidOf(ofCase).keys()])]
          t.ok(
            (await trusts.trustStatuses(spoken)).every((trustStatus) => trustStatus === undefined),
            'nothing that was said about its pictures is left',
          )
          t.notOk(
            spoken.some((id) => listed.disputes.has(id) || listed.held.has(id)),
            'no decision about them is pending',
          )
          t.equal(kinds.at(-1), record.end.as, 'the last event is its end')
          t.equal(
            await store.ask((client) => client.zscore(keys.caseErasures, caseId)).then((score) => score !== null),
            true,
          )
        }
        if (kinds.length < MAX_CASE_EVENTS) t.equal(kinds.filter((kind) => kind === 'opened').length, 1)
        t.ok(await store.ask((client) => client.zscore(keys.caseSchedule, caseId)), 'the schedule has it')
      }
      await store.close()
    }
    t.ok(hasEnded('withdrawn') && hasEnded('expired') && hasSpoken())
  },
)

const MANY = 1_000_000

const SPOKEN = ['vouch', 'dispute', 'hold', 'strike'] as const
type Said = Readonly<Record<(typeof SPOKEN)[number], boolean>>

/** What was acknowledged about each picture. */
function saidOf(told: readonly z.infer<typeof Told>[]): Map<string, Said> {
  const said = new Map<string, Said>()
  for (const { step, action, outcome } of told) {
    if (outcome !== 'said') continue
    const id = spokenOf(step, CASES)
    said.set(id, { vouch: false, dispute: false, hold: false, strike: false, ...said.get(id), [action]: true })
  }
  return said
}

async function holdsWhatWasSaid(
  t: Test,
  trusts: Pick<Trusts, 'get' | 'trustStatuses'>,
  said: ReadonlyMap<string, Said>,
  listed: { readonly disputes: ReadonlySet<string>; readonly held: ReadonlySet<string> },
): Promise<void> {
  const trustStatuses = await trusts.trustStatuses([...said.keys()])
  for (const [k, [id, { vouch, dispute, hold, strike }]] of [...said].entries()) {
    const { trust } = await trusts.get(id)
    if (vouch) t.same(trust.attestedBy, ['ngo'])
    if (strike) t.equal(trust.circulation, 'invalidated', 'an invalidated case stays invalidated')
    else if (hold && trust.circulation !== 'invalidated') t.ok(trust.circulation === 'held' && listed.held.has(id))
    if (dispute && trust.dispute !== 'upheld') t.ok(trust.dispute === 'open' && listed.disputes.has(id))
    t.same(trustStatuses[k], trustStatusOf(trust), 'every index has the same trust status')
  }
}

/** What an index holds that follows every change. @throws when there is a gap. */
async function livingImages(target: { url: undefined; socket: string }): Promise<Set<string>> {
  const redis = connectForFollowing(target)
  const living = new Set<string>()
  try {
    for (let after = ORIGIN; ; ) {
      const followed = await follow(redis, after, 1, () => performance.now())
      if (followed.kind === 'gap') throw new Error('a gap in the changes')
      for (const change of followed.changes) {
        if (change.op === 'image') for (const id of change.imageIds) living.add(id)
        if (change.op === 'tombstone') for (const id of change.imageIds) living.delete(id)
      }
      after = followed.positions.at(-1) ?? after
      if (followed.caughtUpAtMs !== undefined) return living
    }
  } finally {
    redis.disconnect()
  }
}
