// Several acts on one picture at the same time, on two processes. The outcome must equal that of the acts one after
// the other, in some order: the rules of src/domain/trust/trust.ts are the model.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Caller } from '../../src/domain/organisations/access.js'
import { Problem } from '../../src/domain/problem.js'
import { tierOf } from '../../src/domain/trust/tier.js'
import {
  act,
  DISPUTE_ANSWERS,
  DISPUTE_REASONS,
  NO_TRUST,
  pauseEndsS,
  silentUntilS,
  supportOf,
  type Trust,
  type TrustAction,
  trustStatusOf,
} from '../../src/domain/trust/trust.js'
import { VERDICTS } from '../../src/domain/trust/verdict.js'
import type { JudgedSignal } from '../../src/services/trust/signal-trust.js'
import type { TrustService } from '../../src/services/trust/trust.js'
import { keys } from '../../src/store/redis/keys.js'
import { redisOf } from '../helpers/requests.js'
import { runs } from '../helpers/runs.js'
import { startService, until } from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, matchIdOf, ngo, platform } from '../helpers/trust.js'

type Step =
  | { readonly do: 'say'; readonly who: number; readonly verdict: (typeof VERDICTS)[number]; readonly reason: number }
  | { readonly do: 'answer'; readonly answer: (typeof DISPUTE_ANSWERS)[number] }
  | { readonly do: 'attest' | 'verify' | 'hold' | 'release' | 'resume' | 'resume-if-due' | 'reinstate' | 'withdraw' }
  /** For so many seconds from now; 0 for an indefinite pause. */
  | { readonly do: 'pause'; readonly forS: number }
  /** The clock advances. */
  | { readonly do: 'wait'; readonly forS: number }
  | { readonly do: 'decide'; readonly outcome: 'upheld' | 'rejected' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      who: fc.nat(2),
      verdict: fc.constantFrom(...VERDICTS),
      reason: fc.nat(1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('attest' as const, 'hold' as const, 'release' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pause' as const), forS: fc.constantFrom(0, 10, 20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('resume' as const, 'resume-if-due' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      outcome: fc.constantFrom('rejected' as const, 'rejected' as const, 'upheld' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const), answer: fc.constantFrom(...DISPUTE_ANSWERS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('verify' as const, 'reinstate' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const) }) },
)

/** Acts at the same time. The clock advances between rounds, so that it is clear what is due. */
const round = fc.array(step, { minLength: 1, maxLength: 4 })
const wait: fc.Arbitrary<Step[]> = fc.tuple(
  fc.record({ do: fc.constant('wait' as const), forS: fc.constantFrom(9, 10, 20) }),
)

/** Trust, or nothing once the picture is withdrawn. */
type State = Trust | undefined

function actionOf(one: Exclude<Step, { do: 'withdraw' | 'wait' }>, nowMs: number): TrustAction {
  switch (one.do) {
    case 'say': {
      const pseudonym = `platform ${one.who}`
      const reason = DISPUTE_REASONS[one.reason] ?? 'other'
      return one.verdict === 'disputed'
        ? { kind: 'dispute', pseudonym, reason, counts: true }
        : { kind: 'verdict', pseudonym, verdict: one.verdict, counts: true }
    }
    case 'attest':
      return { kind: 'attest', pseudonym: 'ngo' }
    case 'answer':
      return { kind: 'answer', answer: one.answer }
    case 'decide':
      return { kind: 'decide', outcome: one.outcome }
    case 'hold':
      return { kind: 'hold', cause: 'operator', flood: 0 }
    case 'pause':
      return { kind: 'pause', untilS: untilS(one.forS, nowMs) }
    case 'resume':
      return { kind: 'resume' }
    case 'resume-if-due':
      return { kind: 'resume', ifDue: true }
    case 'verify':
    case 'reinstate':
    case 'release':
      return { kind: one.do }
    default:
      throw new Error('withdrawing is no action on trust')
  }
}

function untilS(forS: number, nowMs: number): number {
  return forS === 0 ? 0 : nowMs / 1000 + forS
}

/** The answer to one step, and the state after it, by the rules. */
function modelled(state: State, one: Step, nowMs: number): { readonly answer: string; readonly state: State } {
  if (one.do === 'wait') return { answer: 'done', state }
  if (one.do === 'withdraw') return { answer: 'done', state: undefined }
  if (state === undefined)
    return { answer: one.do === 'say' || one.do === 'attest' ? 'match-unknown' : 'signal-unknown', state }
  const after = act(state, actionOf(one, nowMs), nowMs)
  return typeof after === 'string' ? { answer: after, state } : { answer: 'done', state: after }
}

function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [i, first] of items.entries()) {
    for (const rest of orders(items.filter((_, j) => j !== i))) yield [first, ...rest]
  }
}

t.test('acts at the same time on two processes have the outcome of some order of them', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const one = await startService(t, { now: () => nowMs })
  const two = await startService(t, { now: () => nowMs, redis: one.redis })
  const redis = await redisOf(t, one)
  const platforms = [await platform(one, 'a'), await platform(one, 'b'), await platform(one, 'c')]
  const helper = await ngo(one, 'helper')
  const callers = [...platforms, helper].map(({ key }): Caller => {
    const caller = one.services.identify(key)
    if (caller === undefined) throw new Error('a key that was made is known')
    return caller
  })

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 7, arbitrary: round }, { weight: 1, arbitrary: wait }), { maxLength: 8 }),
      async (rounds) => {
        const her = await caseWithPicture(one)
        const own = await one.services.cases.own(her.caseNumber, her.token)
        const ids = await Promise.all([...platforms, helper].map(({ headers }) => matchIdOf(one, headers, her.hash)))
        const doOn = async (trust: TrustService, each: Step): Promise<unknown> => {
          const who = each.do === 'say' ? each.who : 3
          const caller = callers[who]
          const matchId = ids[who]
          if (caller === undefined || matchId === undefined) throw new Error('there are four callers')
          switch (each.do) {
            case 'say':
              return trust.feedback(
                caller,
                matchId,
                each.verdict === 'disputed'
                  ? { verdict: 'disputed', reason: DISPUTE_REASONS[each.reason] ?? 'other' }
                  : { verdict: each.verdict },
              )
            case 'attest':
              return trust.attest(caller, matchId)
            case 'answer':
              return trust.answer(own, her.imageId, each.answer, 'submitter')
            case 'decide':
              return trust.decide(her.imageId, each.outcome)
            case 'verify':
              return trust.verify(her.imageId)
            case 'reinstate':
              return trust.reinstate(her.imageId)
            case 'hold':
              return trust.hold(her.imageId, { cause: 'operator', flood: 0 })
            case 'release':
              return trust.release(her.imageId)
            case 'pause':
              return trust.pause(her.imageId, untilS(each.forS, nowMs), 'tabir')
            case 'resume':
              return trust.resume(her.imageId, 'tabir')
            case 'resume-if-due':
              return trust.resumeIfDue(her.imageId)
            case 'wait':
              nowMs += each.forS * 1000
              return
            case 'withdraw':
              return ask(one, 'DELETE', her.url, her.headers)
          }
        }

        let state: State = NO_TRUST
        for (const round of rounds) {
          const answers = await Promise.all(
            round.map((each, i) =>
              doOn((i % 2 === 0 ? one : two).services.trust, each).then(
                () => 'done',
                (error: unknown) => (error instanceof Problem ? error.code : String(error)),
              ),
            ),
          )
          const seen = await one.services.trust.signal(her.imageId).catch(() => undefined)
          const possible = [...orders(round.map((each, i) => ({ each, i })))].map((order) => {
            let after = state
            const expected: string[] = []
            for (const { each, i } of order) {
              const result = modelled(after, each, nowMs)
              expected[i] = result.answer
              after = result.state
            }
            return { expected, after }
          })
          // Nothing shows when a pause ends while an operator holds the signal, so orders of pauses differ in the schedule alone.
          const [, ...ends] = await redis.zrange(keys.holdSchedule, '0', '-1', 'WITHSCORES')
          const match = possible.find(
            ({ expected, after }) =>
              sameWords(expected, answers) &&
              sameWords(endsOf(after), ends) &&
              JSON.stringify(seenOf(after)) === JSON.stringify(seen && worth(seen)),
          )
          assert.ok(
            match !== undefined,
            `no order gives ${answers.join()}, ${JSON.stringify(seen)} and the schedule ${ends}`,
          )
          state = match.after
        }

        // This process may learn a little later what the other one answered.
        await until(async () => (await one.services.health.behind()) === 0)
        const expected = state === undefined ? undefined : trustStatusOf(state)
        const told = await matchesOf(one, platforms[0]?.headers ?? {}, her.hash)
        if (expected?.matches !== true) assert.deepEqual(told, [])
        else
          assert.deepEqual(
            told.map(({ tier, disputed }) => ({ tier, disputed })),
            [{ tier: tierOf('self-reported', supportOf(state ?? NO_TRUST)), disputed: expected.disputed }],
          )
        if (state !== undefined) await ask(one, 'DELETE', her.url, her.headers)
      },
    ),
    { numRuns: runs(12) },
  )
})

function sameWords(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, i) => word === other[i])
}

function worth({ answer, tier, disputed, dispute, reasons, circulation, silentUntilS, ...support }: JudgedSignal) {
  const { confirmations, notBlocked, attestations, verifications } = support
  return {
    answer,
    tier,
    disputed,
    dispute,
    reasons,
    circulation,
    silentUntilS,
    confirmations,
    notBlocked,
    attestations,
    verifications,
  }
}

/** What the hold schedule has for this state: when [epoch ms] the pause ends. */
function endsOf(state: State): string[] {
  const endsS = state === undefined ? undefined : pauseEndsS(state)
  return endsS === undefined ? [] : [String(endsS * 1000)]
}

function seenOf(state: State) {
  if (state === undefined) return undefined
  const support = supportOf(state)
  const { confirmations, notBlocked, attestations, verifications } = support
  return {
    answer: state.answer,
    tier: tierOf('self-reported', support),
    disputed: state.dispute === 'open',
    dispute: state.dispute,
    reasons: state.reasons,
    circulation: state.circulation,
    silentUntilS: silentUntilS(state),
    confirmations,
    notBlocked,
    attestations,
    verifications,
  }
}
