import t from 'tap'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import { CIRCULATIONS, type Circulation } from '../../src/domain/trust/quarantine.js'
import { tierWith } from '../../src/domain/trust/tier.js'
import {
  act,
  DISPUTE_REASONS,
  DISPUTE_STATES,
  type DisputeState,
  NO_TRUST,
  NO_TRUST_STATUS,
  type Trust,
  type TrustAction,
  trustStatusOf,
} from '../../src/domain/trust/trust.js'
import { VERDICT_STEPS, VERDICTS } from '../../src/domain/trust/verdict.js'
import { said } from './said.js'

t.test('an organisation counts once, and an excluded one or a program does not count', async (t) => {
  const two = said(NO_TRUST, blockedBy('a'), blockedBy('b'))
  t.equal(tierIn('self-reported', two), 'platform-confirmed')
  t.equal(tierIn('self-reported', said(NO_TRUST, blockedBy('a'), blockedBy('a'))), 'self-reported')
  const own: TrustAction = { kind: 'verdict', pseudonym: 'owner', verdict: 'blocked', counts: false }
  t.equal(tierIn('self-reported', said(NO_TRUST, blockedBy('a'), own)), 'self-reported')
  const stopped = ['a', 'b', 'c'].map(
    (pseudonym): TrustAction => ({ kind: 'verdict', pseudonym, verdict: 'auto-blocked', counts: true }),
  )
  t.equal(tierIn('self-reported', said(NO_TRUST, ...stopped)), 'self-reported', 'no number of programs raises a tier')
})

t.test('a verdict changes only by the table; every other step is refused and changes nothing', async (t) => {
  const reason = 'other'
  const saying = (verdict: (typeof VERDICTS)[number]): TrustAction =>
    verdict === 'disputed'
      ? { kind: 'dispute', pseudonym: 'a', reason, counts: true }
      : { kind: 'verdict', pseudonym: 'a', verdict, counts: true }
  for (const from of ['none', ...VERDICTS] as const) {
    const before = from === 'none' ? NO_TRUST : said(NO_TRUST, saying(from))
    for (const to of VERDICTS) {
      const after = act(before, saying(to), 2)
      if (from === to) t.equal(after, before, `${from} again`)
      else if (to === 'auto-blocked' && from !== 'none') t.equal(after, before, `${from} is not replaced by a program`)
      else if (VERDICT_STEPS[from].includes(to)) t.match(after, { verdicts: [{ verdict: to }] }, `${from} → ${to}`)
      else t.equal(after, 'feedback-conflict', `${from} → ${to}`)
    }
  }
})

/** The last one is a decision that the operator reverses. */
const DISPUTE_STEPS: Readonly<Record<DisputeState, readonly DisputeState[]>> = {
  none: ['open'],
  open: ['upheld', 'rejected'],
  rejected: ['open'],
  upheld: ['rejected'],
}

const disputes: Readonly<Record<DisputeState, Trust>> = {
  none: NO_TRUST,
  open: said(NO_TRUST, disputeBy('a', 'other')),
  upheld: said(NO_TRUST, disputeBy('a', 'other'), { kind: 'decide', outcome: 'upheld' }),
  rejected: said(NO_TRUST, disputeBy('a', 'other'), { kind: 'decide', outcome: 'rejected' }),
}

t.test('a dispute changes only by the table; every other step is refused and changes nothing', async (t) => {
  for (const from of DISPUTE_STATES) {
    for (const to of ['open', 'upheld', 'rejected'] as const) {
      const isTakenBack = from === 'upheld' && to === 'rejected'
      const action: TrustAction =
        to === 'open'
          ? disputeBy('b', 'public-interest')
          : isTakenBack
            ? { kind: 'reinstate' }
            : { kind: 'decide', outcome: to }
      const after = act(disputes[from], action, 2)
      const name = `${from} → ${to}`
      const isAllowed = DISPUTE_STEPS[from].includes(to)
      if (isAllowed || (from === 'open' && to === 'open')) t.match(after, { dispute: to }, name)
      else if (from === to) t.equal(after, disputes[from], `${name}: repeated`)
      else t.equal(after, from === 'upheld' ? 'signal-invalidated' : 'dispute-not-open', name)
    }
  }
})

t.test('a rejected reason is settled for every organisation, and another reason may still be given', async (t) => {
  for (const pseudonym of ['a', 'b', 'operator'])
    t.equal(act(disputes.rejected, disputeBy(pseudonym, 'other'), 2), 'dispute-settled')
  const again = said(disputes.rejected, disputeBy('b', 'harmless-content'))
  t.match(again, { dispute: 'open', reasons: ['harmless-content'], settled: ['other'] })
  const twice = said(again, { kind: 'decide', outcome: 'rejected' })
  t.same(twice.settled, ['other', 'harmless-content'])
  t.same(
    DISPUTE_REASONS.map((reason) => typeof act(twice, disputeBy('c', reason), 2) === 'object'),
    [false, true, true, true, false],
  )
})

t.test('a dispute that others join is decided once', async (t) => {
  const joined = said(disputes.open, disputeBy('b', 'public-interest'), disputeBy('c', 'other'))
  t.match(joined, { dispute: 'open', reasons: ['other', 'public-interest'], disputedAtMs: 1 })
  t.equal(trustStatusOf(joined).disputed, true)
  const rejected = said(joined, { kind: 'decide', outcome: 'rejected' })
  t.same(rejected.settled, ['other', 'public-interest'])
  t.equal(trustStatusOf(rejected).disputed, false)
})

/** `invalidated → held`: reinstated while the pause of the owner lasts. */
const CIRCULATION_STEPS: Readonly<Record<Circulation, readonly Circulation[]>> = {
  matching: ['narrowed', 'held', 'invalidated'],
  narrowed: ['matching', 'held', 'invalidated'],
  held: ['matching', 'narrowed', 'invalidated'],
  invalidated: ['matching', 'held'],
}

t.test(
  'the circulation of a signal follows from dispute, pause and quarantine, and takes the steps of the table only',
  async (t) => {
    const steps: TrustAction[] = [
      disputeBy('a', 'other'),
      ...(['upheld', 'rejected'] as const).map((outcome) => ({ kind: 'decide', outcome }) as const),
      ...(['look-alikes', 'flood'] as const).map((cause) => ({ kind: 'hold', cause, flood: 5 }) as const),
      { kind: 'hold', cause: 'decoration', flood: 5, view: 3 },
      ...(['reinstate', 'release', 'resume'] as const).map((kind) => ({ kind }) as const),
      { kind: 'pause', untilS: 0 },
    ]
    const taken = Object.fromEntries(CIRCULATIONS.map((from) => [from, new Set<Circulation>()]))
    let reached = [NO_TRUST]
    for (let depth = 0; depth < 5; depth++) {
      reached = reached.flatMap((trust) =>
        steps.flatMap((action) => {
          const after = act(trust, action, 1)
          if (typeof after === 'string' || after === trust) return []
          if (after.circulation !== trust.circulation) taken[trust.circulation]?.add(after.circulation)
          if (after.circulation !== modelOf(after))
            t.fail(`${action.kind} gives ${after.circulation}, not ${modelOf(after)}`)
          return [after]
        }),
      )
    }
    t.same(
      CIRCULATIONS.map((from) => CIRCULATIONS.filter((to) => taken[from]?.has(to))),
      CIRCULATIONS.map((from) => CIRCULATION_STEPS[from]),
    )
  },
)

function modelOf({ dispute, pause, heldFor }: Trust): Circulation {
  if (dispute === 'upheld') return 'invalidated'
  if (pause !== undefined || heldFor === 'flood' || heldFor === 'operator') return 'held'
  return heldFor === 'look-alikes' ? 'narrowed' : 'matching'
}

t.test('a quarantine is replaced only by one that stops more, and ends once', async (t) => {
  const narrowed = said(disputes.open, { kind: 'hold', cause: 'look-alikes', flood: 5 })
  const held = said(narrowed, { kind: 'hold', cause: 'flood', flood: 9 })
  t.match(held, { circulation: 'held', flood: 9 })
  for (const trust of [narrowed, held])
    t.equal(act(trust, { kind: 'hold', cause: 'look-alikes', flood: 1 }, 2), trust, 'a weaker one')
  t.equal(act(held, { kind: 'hold', cause: 'operator', flood: 0 }, 2), held, 'an equal one')
  t.equal(act(disputes.open, { kind: 'release' }, 2), 'quarantine-conflict')
  t.same(
    [disputes.open, narrowed, held, disputes.upheld].map((trust) => trustStatusOf(trust)),
    [
      { ...NO_TRUST_STATUS, disputed: true },
      { ...NO_TRUST_STATUS, disputed: true, narrowed: true },
      { ...NO_TRUST_STATUS, disputed: true, matches: false },
      { ...NO_TRUST_STATUS, matches: false },
    ],
  )
  t.match(said(narrowed, { kind: 'release' }), { toleratedFlood: 5, flood: 0, heldFor: undefined })
  const paused = said(narrowed, { kind: 'pause', untilS: 0 })
  t.match([paused, said(paused, { kind: 'resume' })], [{ circulation: 'held' }, { circulation: 'narrowed' }])
  t.match(said(held, { kind: 'release' }), { toleratedFlood: 9, flood: 0, heldFor: undefined })
})

t.test('reinstating an upheld dispute has the effect of a rejection, and nothing else can be reinstated', async (t) => {
  const back = said(disputes.upheld, { kind: 'reinstate' })
  t.match(back, { dispute: 'rejected', circulation: 'matching', settled: ['other'], decidedAtMs: 1 })
  t.same(trustStatusOf(back), NO_TRUST_STATUS)
  t.equal(act(back, { kind: 'reinstate' }, 2), back, 'repeated')
  t.equal(act(back, disputeBy('b', 'other'), 2), 'dispute-settled')
  for (const trust of [disputes.none, disputes.open, said(NO_TRUST, { kind: 'hold', cause: 'operator', flood: 0 })])
    t.equal(act(trust, { kind: 'reinstate' }, 2), 'signal-not-invalidated')
  const held = said(disputes.open, { kind: 'hold', cause: 'flood', flood: 9 }, { kind: 'decide', outcome: 'upheld' })
  t.match(said(held, { kind: 'reinstate' }), { circulation: 'matching', heldFor: undefined, heldAtMs: undefined })
})

t.test('views are stopped one by one, and matched again when the signal is released or reinstated', async (t) => {
  const stop = (view: number, flood = 50): TrustAction => ({ kind: 'hold', cause: 'decoration', flood, view })
  const [one, two] = [said(NO_TRUST, stop(3)), said(NO_TRUST, stop(3), stop(255, 100))]
  t.match(one, { circulation: 'matching', heldFor: 'decoration', heldAtMs: 1, stoppedViews: [3], flood: 50 })
  t.equal(act(one, stop(3, 80), 2), one, 'repeated')
  t.match(two, { circulation: 'matching', stoppedViews: [3, 255], flood: 100 })
  t.match(trustStatusOf(two), { matches: true, narrowed: false, stoppedViews: [3, 255] })
  t.match(said(two, { kind: 'release' }), {
    ...{ circulation: 'matching', heldFor: undefined, heldAtMs: undefined, toleratedFlood: 100 },
  })
  t.same(said(two, { kind: 'release' }).stoppedViews, [])
  for (const cause of ['look-alikes', 'flood', 'operator'] as const) {
    const more = said(one, { kind: 'hold', cause, flood: 70 })
    t.match(more, { circulation: cause === 'look-alikes' ? 'narrowed' : 'held', heldFor: cause, stoppedViews: [3] })
    t.equal(act(more, stop(4), 2), more, 'what stops more stays')
    t.match(said(more, { kind: 'release' }), { circulation: 'matching' })
  }
  const upheld = said(one, disputeBy('a', 'other'), { kind: 'decide', outcome: 'upheld' })
  t.match(upheld, { circulation: 'invalidated' })
  t.match(said(upheld, { kind: 'reinstate' }), { circulation: 'matching', heldFor: undefined })
  t.same(said(upheld, { kind: 'reinstate' }).stoppedViews, [])
  const rejected = said(one, disputeBy('a', 'other'), { kind: 'decide', outcome: 'rejected' })
  t.match(rejected, { heldFor: 'decoration', stoppedViews: [3] }, 'a dispute that is rejected leaves it')
  t.match(said(one, { kind: 'pause', untilS: 0 }, { kind: 'resume' }), { circulation: 'matching', stoppedViews: [3] })
})

t.test('a dispute is answered while it is open, and a new one has no answer yet', async (t) => {
  const answer: TrustAction = { kind: 'answer', answer: 'shows-me-without-consent' }
  for (const state of ['none', 'rejected'] as const) t.equal(act(disputes[state], answer, 2), 'dispute-not-open', state)
  t.equal(act(disputes.upheld, answer, 2), 'signal-invalidated')
  const answered = said(disputes.open, answer)
  t.equal(act(answered, answer, 2), answered, 'repeated')
  t.match(said(answered, disputeBy('b', 'public-interest')), { answer: answer.answer }, 'a joined dispute keeps its answer')
  const again = said(answered, { kind: 'decide', outcome: 'rejected' }, disputeBy('b', 'harmless-content'))
  t.equal(again.answer, undefined)
})

t.test('an invalidated signal accepts no further action', async (t) => {
  const more: TrustAction[] = [
    blockedBy('a'),
    disputeBy('b', 'harmless-content'),
    { kind: 'attest', pseudonym: 'n' },
    { kind: 'verify' },
    { kind: 'hold', cause: 'flood', flood: 1 },
    { kind: 'release' },
    { kind: 'decide', outcome: 'rejected' },
    { kind: 'answer', answer: 'added-by-mistake' },
  ]
  for (const action of more) t.equal(act(disputes.upheld, action, 2), 'signal-invalidated', action.kind)
})

t.test('a quarantine and a pause by the owner are independent: ending one leaves the other', async (t) => {
  const hold: TrustAction = { kind: 'hold', cause: 'operator', flood: 0 }
  const pause: TrustAction = { kind: 'pause', untilS: 0 }
  for (const [first, second] of [
    [hold, pause],
    [pause, hold],
  ] as const) {
    const both = said(NO_TRUST, first, second)
    t.match(both, { circulation: 'held', heldFor: 'operator', pause: { untilS: 0 } })
    t.match(said(both, { kind: 'release' }), { circulation: 'held', heldFor: undefined, pause: { untilS: 0 } })
    t.match(said(both, { kind: 'resume' }), { circulation: 'held', heldFor: 'operator', pause: undefined })
    t.match(said(both, { kind: 'resume' }, { kind: 'release' }), { circulation: 'matching' })
    t.match(said(both, { kind: 'release' }, { kind: 'resume' }), { circulation: 'matching' })
  }
  t.equal(
    act(said(NO_TRUST, pause), { kind: 'release' }, 2),
    'quarantine-conflict',
    'a pause of the owner is not the operator’s to end',
  )
  const invalidated = said(NO_TRUST, pause, disputeBy('b', 'other'), { kind: 'decide', outcome: 'upheld' })
  t.match(said(invalidated, { kind: 'reinstate' }), { circulation: 'held' }, 'it is still paused after a reinstatement')
})

t.test('the schedule ends a pause that is over, and no other', async (t) => {
  const due: TrustAction = { kind: 'resume', ifDue: true }
  const until = (untilS: number) => said(NO_TRUST, { kind: 'pause', untilS })
  t.match(act(until(10), due, 10_000), { circulation: 'matching', pause: undefined })
  for (const trust of [NO_TRUST, until(0), until(11), disputes.upheld]) t.equal(act(trust, due, 10_000), trust)
  const invalidated = said(until(10), disputeBy('b', 'other'), { kind: 'decide', outcome: 'upheld' })
  t.match(
    act(invalidated, { kind: 'reinstate' }, 10_000),
    { circulation: 'matching' },
    'a pause that ended meanwhile is over',
  )
  const held = said(until(10), { kind: 'hold', cause: 'operator', flood: 0 })
  t.match(act(held, { kind: 'release' }, 9_999), { circulation: 'held', pause: { untilS: 10 } })
  t.match(act(held, { kind: 'release' }, 10_000), { circulation: 'matching', pause: undefined }, 'no hold is left')
})

t.test('only a signal judged harmless vetoes, until it is reinstated', async (t) => {
  const judged = said(NO_TRUST, disputeBy('b', 'harmless-content'), { kind: 'decide', outcome: 'upheld' })
  t.match(trustStatusOf(judged), { matches: false, harmless: true })
  t.same(trustStatusOf(said(judged, { kind: 'reinstate' })), NO_TRUST_STATUS)
  t.match(trustStatusOf(disputes.upheld), { matches: false, harmless: false })
  t.same(trustStatusOf(said(NO_TRUST, disputeBy('b', 'harmless-content'))), { ...NO_TRUST_STATUS, disputed: true })
})

function tierIn(registered: Tier, trust: Trust): Tier {
  return tierWith(registered, trustStatusOf(trust).support)
}

function blockedBy(pseudonym: string): TrustAction {
  return { kind: 'verdict', pseudonym, verdict: 'blocked', counts: true }
}

function disputeBy(pseudonym: string, reason: (typeof DISPUTE_REASONS)[number]): TrustAction {
  return { kind: 'dispute', pseudonym, reason, counts: true }
}
