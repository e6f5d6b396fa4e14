import t from 'tap'
import { type Answered, askedPatiently } from './patient.js'

/** A server that gives these answers in order, and then the last one forever. */
function answering(...answers: readonly (Answered | undefined)[]) {
  const waitedMs: number[] = []
  let asked = 0
  const ask = async () => answers[Math.min(asked++, answers.length - 1)]
  const last = () => askedPatiently(ask, { again: 3, wait: async (ms) => waitedMs.push(ms) })
  return { last, waitedMs, asked: () => asked }
}

const fine: Answered = { statusCode: 200, headers: {} }
const away = (headers: Answered['headers'] = { 'retry-after': '2' }): Answered => ({ statusCode: 503, headers })

t.test('a request refused with Retry-After is repeated after that time, a limited number of times', async (t) => {
  const once = answering(away(), away({ 'retry-after': '5' }), fine)
  t.same(await once.last(), fine)
  t.same(once.waitedMs, [2000, 5000])

  const always = answering(away())
  t.match(await always.last(), { statusCode: 503 }, 'a request refused each time stays refused')
  t.equal(always.asked(), 4)
})

t.test('no other answer leads to a repeated request', async (t) => {
  const others = [fine, away({}), away({ 'retry-after': 'soon' }), away({ 'retry-after': '0' })]
  for (const answer of [...others, { statusCode: 500, headers: { 'retry-after': '2' } }, undefined]) {
    const one = answering(answer, fine)
    t.same(await one.last(), answer)
    t.equal(one.asked(), 1)
  }
  const worse = answering(away(), { statusCode: 500, headers: {} }, fine)
  t.match(await worse.last(), { statusCode: 500 })
})
