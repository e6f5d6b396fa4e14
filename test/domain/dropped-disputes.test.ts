// A dispute ends when the organisation that raised it gives another verdict.

import t from 'tap'
import { act, NO_TRUST, type TrustAction, trustStatusOf } from '../../src/domain/trust/trust.js'
import { said } from './said.js'

const disputeBy = (pseudonym: string): TrustAction => ({ kind: 'dispute', pseudonym, reason: 'other', counts: true })
const blockedBy = (pseudonym: string): TrustAction => ({ kind: 'verdict', pseudonym, verdict: 'blocked', counts: true })

const OPEN = said(NO_TRUST, disputeBy('a'))

t.test('another verdict ends the own dispute, unless somebody shares it', async (t) => {
  const answered = said(OPEN, { kind: 'answer', answer: 'added-by-mistake' })
  for (const verdict of ['blocked', 'not-blocked'] as const) {
    const dropped = said(answered, { kind: 'verdict', pseudonym: 'a', verdict, counts: true })
    t.match(dropped, { dispute: 'none', reasons: [], settled: [], disputedAtMs: undefined, answer: undefined })
    t.equal(trustStatusOf(dropped).disputed, false)
    t.equal(act(dropped, { kind: 'decide', outcome: 'upheld' }, 2), 'dispute-not-open')
    t.match(said(dropped, disputeBy('a')), { dispute: 'open', reasons: ['other'] }, 'nothing was decided')
  }
  for (const other of ['b', 'operator']) {
    const shared = said(answered, disputeBy(other), blockedBy('a'))
    t.match(shared, { dispute: 'open', reasons: ['other'], answer: 'added-by-mistake' })
  }
  const never = said(OPEN, blockedBy('b'))
  t.match(never, { dispute: 'open' }, 'of somebody who never disputed it')
  t.match(
    said(said(OPEN, { kind: 'decide', outcome: 'rejected' }), blockedBy('a')),
    { dispute: 'rejected', settled: ['other'] },
    'a decision stays',
  )
})
