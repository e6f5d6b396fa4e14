// Steps about the trust in a signal: pauses, holds, disputes, attestations, and what follows from many matches.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { COPY_BITS } from '../../packages/core/src/matching/copies.js'
import { idBuffer, keys } from '../../src/store/redis/keys.js'
import { type Answer, codeOf, isDone, isUnsure } from './calls.js'
import { matchesOf, resultsOf } from './check.js'
import { expectedOf, said, type Thing, thingAt } from './model.js'
import { contentIdOf, idOf, isOpen, OTHER_VIEWS, openCase, pdq, register } from './perform-signals.js'
import { refuseOdd, type Scene, thingName } from './scene.js'
import type { Api, Ref, StepOf } from './steps.js'

/** The thing for an act, if it is known to exist. */
function thereAt(scene: Scene, ref: Ref): Thing | undefined {
  const thing = thingAt(scene.model, ref)
  return thing?.presence === 'there' && isOpen(scene, thing.home) ? thing : undefined
}

/** Refusals by the rules of the service: nothing changes then. */
const BY_RULE = [
  'signal-invalidated',
  'quarantine-conflict',
  'dispute-not-open',
  'dispute-settled',
  'feedback-conflict',
  'signal-not-invalidated',
]

function afterwards(scene: Scene, thing: Thing, what: string, answer: Answer, change: Parameters<typeof said>[2]): boolean {
  if (isDone(answer)) said(thing, true, change)
  else if (isUnsure(answer)) said(thing, false, change)
  else if (!BY_RULE.includes(codeOf(answer) ?? '') && thing.dispute !== 'upheld')
    refuseOdd(scene, `${what} ${thingName(thing)}`, answer)
  return isDone(answer)
}

export async function pause(scene: Scene, step: StepOf<'pause' | 'unpause'>): Promise<Api | undefined> {
  const { at, home } = step
  const thing = thereAt(scene, step)
  if (thing === undefined || scene.cases.has(home)) return undefined
  const content = await contentIdOf(scene, at, step)
  if (content === undefined) return undefined
  const nowS = Math.floor(scene.nowS())
  const untilS = step.do === 'unpause' ? nowS - 1 : step.forS === 0 ? 0 : nowS + step.forS
  const answer = await scene.ask(at, {
    method: 'PUT',
    path: `/c/bank/${scene.bankName(home)}/content/${content}`,
    key: scene.keys.owner,
    json: { disable_until_ts: untilS },
  })
  const isDoneNow = afterwards(scene, thing, step.do, answer, { pausedUntilS: step.do === 'unpause' ? undefined : untilS })
  return isDoneNow ? at : undefined
}

const OPERATOR_ROUTES = {
  hold: { method: 'POST', path: 'quarantine', change: { isHeld: true } },
  release: { method: 'DELETE', path: 'quarantine', change: { isHeld: false } },
  verify: { method: 'POST', path: 'verification', change: { verified: true } },
  reinstate: {
    method: 'DELETE',
    path: 'dispute/decision',
    change: { dispute: 'rejected', isHeld: false, pausedUntilS: undefined },
  },
} as const satisfies Readonly<
  Record<string, { method: 'POST' | 'DELETE'; path: string; change: Parameters<typeof said>[2] }>
>

export async function judge(scene: Scene, step: StepOf<keyof typeof OPERATOR_ROUTES>): Promise<Api | undefined> {
  const { at, do: verb } = step
  const thing = thereAt(scene, step)
  // A release of what only its owner pauses, and a decision that was never made, are not the operator's to change.
  if (thing === undefined || (verb === 'release' && !thing.isHeld) || (verb === 'reinstate' && thing.dispute !== 'upheld'))
    return undefined
  const id = await idOf(scene, at, step)
  if (id === undefined) return undefined
  const { method, path, change } = OPERATOR_ROUTES[verb]
  const answer = await scene.ask(at, { method, path: `/v1/signals/${id}/${path}`, key: scene.keys.operator })
  return afterwards(scene, thing, verb, answer, change) ? at : undefined
}

export async function dispute(scene: Scene, step: StepOf<'dispute'>): Promise<Api | undefined> {
  const { at, reason, by } = step
  const thing = thereAt(scene, step)
  if (thing === undefined) return undefined
  const answer = await (by === 'operator'
    ? disputedByOperator(scene, step)
    : feedback(scene, step, { verdict: 'disputed', reason }))
  if (answer === undefined) return undefined
  const isHarmless = thing.isHarmless || reason === 'harmless-content'
  return afterwards(scene, thing, 'disputing', answer, { dispute: 'open', isHarmless }) ? at : undefined
}

async function disputedByOperator(scene: Scene, step: StepOf<'dispute'>): Promise<Answer | undefined> {
  const id = await idOf(scene, step.at, step)
  if (id === undefined) return undefined
  const path = `/v1/signals/${id}/dispute`
  return scene.ask(step.at, { method: 'POST', path, key: scene.keys.operator, json: { reason: step.reason } })
}

/** By a platform that matches it: feedback on what does not match is not possible. */
async function feedback(
  scene: Scene,
  { at, home, hash }: Ref & { readonly at: Api },
  json: object,
): Promise<Answer | undefined> {
  const matchId = await matchIdFor(scene, at, scene.keys.platform, { home, hash })
  if (matchId === undefined) return undefined
  return scene.ask(at, { method: 'POST', path: `/v1/matches/${matchId}/feedback`, key: scene.keys.platform, json })
}

async function matchIdFor(scene: Scene, at: Api, key: string, { home, hash }: Ref): Promise<string | undefined> {
  const asWatched = { ...scene, keys: { ...scene.keys, watcher: key } }
  const found = await matchesOf(asWatched, at, [hash])
  const bank = scene.cases.has(home) ? 'cases' : scene.bankName(home)
  return found.get(hash)?.find((each) => each.bank === bank)?.matchId
}

export async function decide(scene: Scene, step: StepOf<'decide'>): Promise<Api | undefined> {
  const { at, outcome } = step
  const thing = thereAt(scene, step)
  if (thing === undefined || thing.dispute !== 'open') return undefined
  const id = await idOf(scene, at, step)
  if (id === undefined) return undefined
  const path = `/v1/signals/${id}/dispute/decision`
  const answer = await scene.ask(at, { method: 'POST', path, key: scene.keys.operator, json: { outcome } })
  if (outcome === 'upheld' && thing.isHarmless && !isOdd(answer)) scene.model.judged.add(thing.hash)
  return afterwards(scene, thing, 'deciding', answer, { dispute: outcome }) ? at : undefined
}

function isOdd(answer: Answer): boolean {
  return !isDone(answer) && !isUnsure(answer)
}

export async function attest(scene: Scene, step: StepOf<'attest'>): Promise<Api | undefined> {
  const { at } = step
  const thing = thereAt(scene, step)
  const matchId = thing === undefined ? undefined : await matchIdFor(scene, at, scene.keys.secondNgo, step)
  if (thing === undefined || matchId === undefined) return undefined
  const answer = await scene.ask(at, {
    method: 'POST',
    path: `/v1/matches/${matchId}/attestation`,
    key: scene.keys.secondNgo,
  })
  return afterwards(scene, thing, 'vouching for', answer, { attested: true }) ? at : undefined
}

const FLOODING_PLATFORMS = 4
const FLOOD_QUERIES = 600
const FLOODED_TIMEOUT_MS = 3000

/**
 * Matched by many platforms, very often. Whether that is a flood is decided by the flood guard: what it holds is held from
 * then on.
 */
export async function flood(scene: Scene, step: StepOf<'flood'>): Promise<Api | undefined> {
  const { at, hash } = step
  const thing = thereAt(scene, step)
  if (thing === undefined) return undefined
  const names = Array.from({ length: FLOODING_PLATFORMS }, (_, i) => `flooding ${i}`)
  const platforms = await Promise.all(names.map((name) => scene.newKey(name, 'platform', ['match'])))
  const queries = Array.from({ length: FLOOD_QUERIES }, () => ({ signals: [pdq(scene.hashOf(hash))] }))
  for (const key of platforms) {
    for (let tries = 0; tries < 50; tries++) {
      const { status } = await scene.ask(at, {
        method: 'POST',
        path: '/v1/match',
        key,
        json: { queries, transforms: false },
      })
      if (status === 200) break
      await sleep(20)
    }
  }
  const endMs = performance.now() + FLOODED_TIMEOUT_MS
  while (performance.now() < endMs) {
    const found = await matchesOf(scene, at, [hash])
    if ((found.get(hash) ?? []).length === 0) {
      said(thing, true, { isHeld: true })
      return undefined
    }
    await sleep(50)
  }
  return undefined
}

const LOOK_ALIKES = 7
const TEMPLATE_PLATFORMS = ['one', 'two', 'three']
const COUNTED_TIMEOUT_MS = 3000

/** On one day far fewer than those for which a picture is narrowed. */
export async function lookAlikes(scene: Scene, step: StepOf<'look-alikes'>): Promise<undefined> {
  const { at, hash } = step
  const thing = thereAt(scene, step)
  const id = scene.ids.get(thingName(step))
  if (thing === undefined || id === undefined) return
  const unlike = (name: string, bits: number) => ({ quality: 100, hash: withBitsFlipped(scene, scene.hashOf(name), bits) })
  const told = () => scene.world.redis().scard(keys.told(idBuffer(id).toString('hex')))
  const before = await told()
  for (const name of TEMPLATE_PLATFORMS) {
    const watcher = await scene.newKey(`look-alikes ${name} ${before}`, 'platform', ['match'])
    const queries = Array.from({ length: LOOK_ALIKES }, () => ({
      signals: [
        { type: 'pdq', ...unlike(hash, COPY_BITS + 1 + Math.floor(scene.random() * COPY_BITS)) },
        { type: 'pdq-area', view: 'whole', ...unlike(OTHER_VIEWS.whole + hash, 30) },
        { type: 'pdq-area', view: 'deframed', ...unlike(OTHER_VIEWS.crop + hash, 30) },
      ],
    }))
    const results = await resultsOf({ ...scene, keys: { ...scene.keys, watcher } }, at, queries)
    const missed = results.filter((matches) => matches.length === 0).length
    if (missed > 0 && expectedOf(scene.model, thing).matching === 'must')
      scene.broken('not-narrowed', `${thingName(step)}: ${missed} of ${LOOK_ALIKES} look-alikes are not found any more`)
  }
  const endMs = performance.now() + COUNTED_TIMEOUT_MS
  while ((await told()) < before + TEMPLATE_PLATFORMS.length && performance.now() < endMs) await sleep(10)
}

function withBitsFlipped({ random }: Scene, hash: string, count: number): string {
  const bytes = Buffer.from(hash, 'hex')
  const bits = new Set<number>()
  while (bits.size < count) bits.add(Math.floor(random() * 256))
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

/**

 * The submitter registers the picture again that was judged harmless and withdrawn. Where it is blocked she appeals, and the

 * operator grants it: afterwards it is accepted and matches, or else something of it was left.

 */
export async function appeal(scene: Scene, step: StepOf<'appeal'>): Promise<Api | undefined> {
  const { at, home, hash } = step
  const thing = thingAt(scene.model, step)
  if (thing === undefined || !thing.isHarmless || thing.presence !== 'gone') return undefined
  const again = `${home}-again`
  if (await isTakenAgain(scene, at, again, hash)) return at
  const own = scene.cases.get(again)
  if (own === undefined) return undefined
  const appealed = await scene.ask(at, {
    method: 'POST',
    path: `/v1/cases/${own.caseNumber}/appeals`,
    key: own.token,
    json: { signals: [pdq(scene.hashOf(hash))] },
  })
  if (isUnsure(appealed)) return undefined
  const listed = await scene.ask(at, { method: 'GET', path: '/v1/appeals?limit=1000', key: scene.keys.operator })
  const waiting = Appeals.safeParse(listed.json).data?.appeals ?? []
  const answers = [`appeal: ${appealed.status} ${codeOf(appealed) ?? ''}`]
  for (const { blockId, signalId } of waiting) {
    const path = `/v1/appeals/${blockId ?? signalId}/decision`
    const decided = await scene.ask(at, { method: 'POST', path, key: scene.keys.operator, json: { outcome: 'granted' } })
    answers.push(`decision: ${decided.status} ${codeOf(decided) ?? ''}`)
    if (isUnsure(decided)) return undefined
  }
  scene.model.judged.delete(hash)
  if (!(await isTakenAgain(scene, at, again, hash)))
    scene.broken(
      'harmless-removable',
      `${thingName(step)} was withdrawn, and its picture cannot be registered again (${answers.join('; ')})`,
    )
  return at
}

const Appeals = z.object({
  appeals: z.array(z.object({ signalId: z.string().nullable(), blockId: z.string().nullable() })),
})

async function isTakenAgain(scene: Scene, at: Api, home: string, hash: string): Promise<boolean> {
  await openCase(scene, { do: 'open-case', at, home })
  await register(scene, { do: 'register', at, way: 'json', reviewed: true, home, hash })
  return thingAt(scene.model, { home, hash })?.presence === 'there'
}
