// Pictures that change and records that are damaged stop no fetch: every fetcher ends with the hashes that there are.

import t from 'tap'
import { randomHashText } from '../helpers/service.js'
import { tellingWorld } from './stopncii-world.js'

t.test(
  'a picture may change its hashes however often: every fetcher gets all, and each that is gone as withdrawn',
  async (t) => {
    const { redis, put, fetcher, later } = await tellingWorld(t)
    const [one, late] = [await fetcher(), await fetcher('late')]
    const itself = randomHashText()
    const others = () => Array.from({ length: 90 }, randomHashText)
    await put(itself, ...others())
    await late.all()
    let now: string[] = []
    for (let round = 0; round < 4; round++) {
      now = others()
      await put(itself, ...now)
      await one.all()
      t.same(one.has, new Set([itself, ...now]))
      later()
    }
    const [by] = await redis.keys('{tabir}:fetched-by:*')
    t.equal(await redis.hlen(by ?? ''), 91, 'a number of a hash that is gone is given to another')
    await late.all()
    t.same(late.has, new Set([itself, ...now]))
    t.same([...one.strange, ...late.strange], [])
  },
)

t.test('a withdrawal that a fetcher does not know yet outlives another image of the same id', async (t) => {
  const { put, remove, fetcher, later } = await tellingWorld(t)
  const [one, other] = [await fetcher(), await fetcher('other')]
  const [itself, former, next] = [randomHashText(), randomHashText(), randomHashText()]
  const id = await put(itself, former)
  await one.all()
  await other.all()
  later()
  await remove(id)
  t.equal(await put(itself, next), id)
  await one.all()
  later()
  await remove(id)
  for (const each of [one, other]) {
    await each.all()
    t.same([...each.has, ...each.strange], [])
  }
})

t.test('a damaged record fails neither a page nor the removal of its image, and the others are reported', async (t) => {
  const { redis, handIn, remove, fetcher, later } = await tellingWorld(t)
  const one = await fetcher()
  const hashes = Array.from({ length: 4 }, randomHashText)
  const [damaged = '', lost = '', gone = '', sound = ''] = await Promise.all(hashes.map((hash) => handIn(hash)))
  await one.all()
  later()
  const placeOf = (id: string) => {
    const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
    return { shard: `{tabir}:fetched:${bytes.readUInt16BE(14) % 32_768}`, name: Buffer.concat([bytes, Buffer.of(0)]) }
  }
  const [first, second] = [placeOf(damaged), placeOf(lost)]
  await redis.hset(first.shard, first.name, 'damaged')
  await redis.hdel(second.shard, second.name)
  one.restart()
  await one.all()
  t.same(one.has, new Set(hashes), 'a page with them')

  for (const id of [damaged, lost, gone, sound]) await remove(id)
  await redis.set(`{tabir}:withdrawn-hash:${placeOf(gone).name.toString('hex')}`, 'damaged')
  await one.all()
  t.same([...one.has], [hashes[2]], 'only what is damaged is not reported')
  t.same(one.strange, [])
})
