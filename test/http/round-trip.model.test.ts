// Exports random content of a bank, imports it into an empty store and into its own bank, then deletes every line in both.

import t from 'tap'
import { type Category, TIER_NAMES, VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../packages/core/src/matching/signal-types.js'
import { type Chance, chanceFrom } from '../fuzz/chance.js'
import { type BankWorld, bankWorld, contentsOf, deleted, hex, type Line, signalOf } from '../helpers/bank-file.js'
import { ask, operator } from '../helpers/trust.js'

t.test('an exported bank imports unchanged elsewhere and into itself, and its deleted lines remove it', async (t) => {
  const there = await bankWorld(t)
  const elsewhere = await bankWorld(t)
  const { headers: admin } = await operator(there.service)
  const chance = chanceFrom(1)
  for (let i = 0; i < 40; i++) await addContent(there, chance)
  const before = await there.exported()
  for (const { signalId } of before)
    if (chance.happens(0.2)) await ask(there.service, 'POST', `/v1/signals/${signalId}/verification`, admin)
  const lines = await there.exported()
  t.equal(lines.length, 40)

  t.match(await elsewhere.imported(lines), { accepted: 40, rejected: 0, notFound: 0 })
  t.same(contentsOf(await elsewhere.exported()), contentsOf(lines), 'the same contents')
  t.match(await there.imported(lines), { accepted: 40, rejected: 0, notFound: 0 })
  t.same((await there.exported()).map(idOf).sort(), lines.map(idOf).sort(), 'the same signals')

  for (const { signalId } of lines)
    if (chance.happens(0.3)) await ask(there.service, 'POST', `/v1/signals/${signalId}/quarantine`, admin)
  for (const { imported } of [there, elsewhere]) {
    t.match(await imported(deleted(lines)), { accepted: 40, removed: 40, rejected: 0, notFound: 0 })
    t.match(await imported(deleted(lines)), { accepted: 0, removed: 0, rejected: 0, notFound: 40 })
  }
  t.same(await there.exported(), [], 'nothing is left, held or not')
})

const idOf = ({ signalId }: Line) => signalId

async function addContent({ service, bank, hma, imported }: BankWorld, chance: Chance): Promise<void> {
  const category: Category | undefined = chance.happens(0.3) ? undefined : chance.oneOf(['nude', 'synthetic'])
  const ref = chance.happens(0.3) ? undefined : chance.oneOf(['r', '"é,\\', `${chance.below(1000)}`])
  const dice = chance.below(4)
  if (dice === 0) {
    const tier = chance.oneOf(TIER_NAMES)
    const type = chance.oneOf(SIGNAL_TYPE_NAMES)
    await imported([{ type, hash: hex(chance, type), quality: 50 + chance.below(51), tier, ref, category }])
  } else if (dice === 1) {
    const views = Array.from({ length: chance.below(32) }, () =>
      signalOf(chance, chance.oneOf(SIGNAL_TYPE_NAMES), chance.oneOf(VIEW_NAMES)),
    )
    const signals = [...views, signalOf(chance, 'pdq')]
    const { id } = await service.services.registration.pictureForBank(bank, { signals, category, ref })
    if (chance.happens(0.5)) await noteAnew(hma, service.services.contents.idFor(bank.orgId ?? '', id), chance)
  } else {
    const { body } = await hma('POST', '/c/bank/B/signal', { pdq: hex(chance), note: chance.oneOf(['', 'a', 'b']) })
    if (dice === 3) await noteAnew(hma, (body as { id: number }).id, chance)
  }
}

async function noteAnew(hma: BankWorld['hma'], id: number, chance: Chance): Promise<void> {
  const { status } = await hma('PUT', `/c/bank/B/content/${id}`, { note: chance.oneOf(['', 'another', 'ﬁ "x"']) })
  if (status !== 200) throw new Error('content has a note')
}
