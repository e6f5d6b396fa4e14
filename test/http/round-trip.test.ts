// Importing a bank's own export changes nothing, and importing it with deleted lines removes all of it.

import t from 'tap'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { chanceFrom } from '../fuzz/chance.js'
import { bankWorld, contentsOf, deleted, hex, signalOf } from '../helpers/bank-file.js'
import { ask, caseWithPicture, matchesOf } from '../helpers/trust.js'

t.test('content with a changed note and a picture with several views survive export and import', async (t) => {
  const { service, headers, bank, hma, exported, imported } = await bankWorld(t)
  const chance = chanceFrom(1)
  const noted = hex(chance)
  const { body } = await hma('POST', '/c/bank/B/signal', { pdq: noted, note: 'first' })
  await hma('PUT', `/c/bank/B/content/${(body as { id: number }).id}`, { note: 'second' })
  const [whole, crop] = [signalOf(chance, 'pdq'), signalOf(chance, 'pdq-area', 'crop')]
  const signals = [whole, crop, signalOf(chance, 'sha256')]
  const { id } = await service.services.registration.pictureForBank(bank, { signals, category: 'nude', ref: 'p' })

  const lines = await exported()
  t.equal(lines.length, 2, 'one line for each')
  t.match(
    lines.find(({ signalId }) => signalId === id),
    { type: 'pdq', hash: formatHash(whole.hash), signals: { length: 3 } },
  )
  t.match(await imported(lines), { accepted: 2, rejected: 0, notFound: 0 })
  t.same(contentsOf(await exported()), contentsOf(lines), 'importing its own export changes nothing')
  t.match(await imported(deleted(lines)), { accepted: 2, removed: 2, rejected: 0, notFound: 0 })
  t.same(await exported(), [])
  for (const hash of [noted, formatHash(whole.hash)]) t.same(await matchesOf(service, headers, hash), [])
})

t.test('a deleted line removes a signal of its own bank only, and is reported if it removed nothing', async (t) => {
  const { service, headers, imported } = await bankWorld(t)
  const her = await caseWithPicture(service)
  await ask(service, 'POST', '/v1/banks', headers, { name: 'C' })
  const other = hex(chanceFrom(2))
  const added = await ask(service, 'POST', '/v1/banks/C/signals', headers, { signals: [{ type: 'pdq', hash: other }] })
  const { signalId } = added.json<{ signals: { signalId: string }[] }>().signals[0] ?? {}
  const mine = hex(chanceFrom(3))
  const report = await imported([
    { type: 'pdq', hash: mine },
    { signalId: her.imageId, deleted: true },
    { signalId: her.imageId, type: 'pdq', hash: her.hash, deleted: true },
    { type: 'pdq', hash: mine, deleted: true },
    { signalId, type: 'pdq', hash: other, deleted: true },
    { type: 'pdq', hash: 'no hash', deleted: true },
    { type: 'pdq', hash: mine, ref: 'another', deleted: true },
  ])
  t.match(report, {
    accepted: 2,
    removed: 0,
    rejected: 1,
    notFound: 4,
    notFoundLines: [
      { fromLine: 2, toLine: 3 },
      { fromLine: 5, toLine: 5 },
      { fromLine: 7, toLine: 7 },
    ],
  })
  for (const hash of [her.hash, other]) t.equal((await matchesOf(service, headers, hash)).length, 1)
  t.same(await matchesOf(service, headers, mine), [], 'added and removed in one file')
})
