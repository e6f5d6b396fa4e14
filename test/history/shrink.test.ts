import t from 'tap'
import { shortest } from './shrink.js'

const list = Array.from({ length: 40 }, (_, i) => i)

t.test('shrinking leaves only the needed items', async (t) => {
  const needed = [3, 17, 38]
  const fails = async (part: readonly number[]) => needed.every((each) => part.includes(each))
  t.strictSame(await shortest(list, fails, () => true), needed)
})

t.test('a list that never fails again stays whole', async (t) => {
  t.strictSame(
    await shortest(
      list,
      async () => false,
      () => true,
    ),
    list,
  )
})

t.test('shrinking ends when time is up, with a part that has failed', async (t) => {
  let runs = 0
  const fails = async (part: readonly number[]) => {
    runs++
    return part.includes(17)
  }
  const part = await shortest(list, fails, () => runs < 4)
  t.equal(runs, 4)
  t.ok(part.includes(17) && part.length < list.length)
})
