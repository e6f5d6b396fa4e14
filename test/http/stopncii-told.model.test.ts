// Random registrations, withdrawals, holds and hidings, and fetches by several keys from two processes: each fetcher ends with exactly the hashes
// that its organisation may read, and is never told to remove a hash that was not sent to it.

import t from 'tap'
import { type Chance, chanceFrom } from '../fuzz/chance.js'
import { del } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { type StopNciiFetcher, stopNciiFetcher } from '../helpers/stopncii-fetcher.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

interface Image {
  readonly hash: string
  readonly bank: 'cases' | 'open' | 'shy'
  readonly id: string
  readonly withdraw: () => Promise<unknown>
  isHeld: boolean
}

/** So few that several images have the same hash. */
const HASHES = 4
const STEPS = 60

t.test(
  'in any order of changes and fetches each fetcher ends with exactly the hashes that it may have',

  async (t) => {
    const clock = { nowMs: Date.now() }
    const service = await startService(t, { now: () => clock.nowMs })
    const second = await startService(t, { redis: service.redis, now: () => clock.nowMs })
    const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
    const { headers: admin } = await operator(service)
    for (const name of ['open', 'shy']) await ask(service, 'POST', '/v1/banks', ngo.headers, { name })

    async function register(hash: string, bank: Image['bank']): Promise<Image> {
      if (bank === 'cases') {
        const { url, headers, imageId: id } = await caseWithPicture(service, hash)
        return { hash, bank, id, isHeld: false, withdraw: () => del(service.app, url, headers) }
      }
      const payload = { signals: [{ type: 'pdq', hash }] }
      const answer = await ask(service, 'POST', `/v1/banks/${bank}/signals`, ngo.headers, payload)
      const { signals } = answer.json<{ signals: { signalId: string }[] }>()
      const id = signals[0]?.signalId ?? ''
      const withdraw = () => del(service.app, `/v1/banks/${bank}/signals/${id}`, ngo.headers)
      return { hash, bank, id, isHeld: false, withdraw }
    }

    for (const seed of [1, 2]) {
      const chance = chanceFrom(seed)
      const images = new Set<Image>()
      const hashes = Array.from({ length: HASHES }, randomHashText)
      let shyReaders = ['ngo', 'one']
      const setReaders = () => ask(service, 'PATCH', '/v1/banks/shy', ngo.headers, { readers: shyReaders })
      await setReaders()
      const fetchers = await Promise.all(
        ['one', 'two', 'two'].map(async (org) => {
          const { key } = await keyFor(service, org, ['feed'])
          return { org, ...stopNciiFetcher(() => chance.oneOf([service, second]).app, key) }
        }),
      )

      for (let step = 0; step < STEPS; step++) {
        if (chance.happens(0.2)) clock.nowMs += chance.below(2500)
        if (chance.happens(0.5)) await fetchSome(chance, chance.oneOf(fetchers))
        else await change()
      }
      for (const { org, has, strange, all } of fetchers) {
        const may = new Set([...images].filter((image) => isFor(image, org)).map(({ hash }) => hash))
        await until(async () => {
          clock.nowMs += 1000
          await all(1 + chance.below(6))
          return isSame(has, may)
        }, 5000).catch(() => {})
        t.same([...has].sort(), [...may].sort(), `seed ${seed}: the hashes that ${org} may have`)
        t.same(strange, [], `seed ${seed}: no removal of a hash that was not sent`)
      }
      for (const { withdraw } of images) await withdraw()

      async function change() {
        const dice = chance.below(10)
        const image = images.size > 0 ? chance.oneOf([...images]) : undefined
        if (dice < 4 || image === undefined) {
          const made = await register(chance.oneOf(hashes), chance.oneOf(['cases', 'open', 'shy']))
          const known = [...images].find(({ id }) => id === made.id)
          if (known === undefined) images.add(made)
        } else if (dice < 7) {
          images.delete(image)
          await image.withdraw()
        } else if (dice < 9) {
          await ask(service, image.isHeld ? 'DELETE' : 'POST', `/v1/signals/${image.id}/quarantine`, admin)
          image.isHeld = !image.isHeld
        } else {
          shyReaders = shyReaders.includes('two') ? ['ngo', 'one'] : ['ngo', 'one', 'two']
          await setReaders()
        }
      }

      function isFor({ bank, isHeld }: Image, org: string) {
        return !isHeld && (bank !== 'shy' || shyReaders.includes(org))
      }
    }
  },
)

async function fetchSome(chance: Chance, { all, page, breakOff, restart }: StopNciiFetcher) {
  const dice = chance.below(12)
  if (dice === 0) restart()
  else if (dice < 3) breakOff()
  if (dice < 8) await all(chance.oneOf([2, 800]))
  else await page(chance.oneOf([1, 2, 3]), chance.happens(0.3))
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>) {
  return one.size === other.size && [...one].every((each) => other.has(each))
}
