// Changing a PIN takes two steps: the new PIN is shown, and its first use replaces the old one. At any time a PIN that the submitter
// was shown opens the case.

import fc from 'fast-check'
import t from 'tap'
import { refused } from '../helpers/refusal.js'
import { del, post, redisOf, tryPin } from '../helpers/requests.js'
import { runs } from '../helpers/runs.js'
import { openCase, startService } from '../helpers/service.js'

const service = await startService(t)
const { app } = service
type Case = Awaited<ReturnType<typeof openCase>>

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const tokenFor = async ({ caseNumber }: Case, pin: string) =>
  (await tryPin(app, caseNumber, pin)).json<{ token: string }>().token
const statusOf = async ({ url }: Case, token: string) => (await app.inject({ url, headers: bearer(token) })).statusCode

/** A new PIN that differs from these. */
async function newPin({ url }: Case, token: string, ...others: string[]): Promise<string> {
  for (;;) {
    const { pin } = (await post(app, `${url}/pin`, undefined, bearer(token))).json<{ pin: string }>()
    if (!others.includes(pin)) return pin
  }
}

t.test('old and new PIN work until the new one is used; then the old one and all earlier tokens end', async (t) => {
  const her = await openCase(app)
  const pin = await newPin(her, her.token, her.pin)
  const byOld = await tokenFor(her, her.pin)
  t.equal(await statusOf(her, byOld), 200)

  const byNew = await tokenFor(her, pin)
  t.equal(await statusOf(her, byNew), 200)
  for (const token of [her.token, byOld]) t.equal(await statusOf(her, token), 404, 'tokens from the old PIN have ended')
  refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
  t.equal(await statusOf(her, await tokenFor(her, pin)), 200)
  t.equal(await statusOf(her, byNew), 200, 'using it again changes nothing')
  const { events } = (await app.inject({ url: `${her.url}/events`, headers: bearer(byNew) })).json<{
    events: { kind: string }[]
  }>()
  t.same(new Set(events.map(({ kind }) => kind)), new Set(['opened', 'pin-requested', 'pin-changed', 'pin-failed']))
})

t.test('of two requested PINs only the later one works, and the old one works until it is used', async (t) => {
  const her = await openCase(app)
  const first = await newPin(her, her.token, her.pin)
  const second = await newPin(her, her.token, her.pin, first)
  refused(t, await tryPin(app, her.caseNumber, first), 'case-unknown')
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201)
  t.equal((await tryPin(app, her.caseNumber, second)).statusCode, 201)
})

t.test('an ended case gives no new PIN, and a PIN that was given before opens its receipt', async (t) => {
  const her = await openCase(app)
  const pin = await newPin(her, her.token, her.pin)
  await del(app, her.url, her.headers)
  refused(t, await post(app, `${her.url}/pin`, undefined, her.headers), 'case-withdrawn')
  const token = await tokenFor(her, pin)
  t.equal((await app.inject({ url: `${her.url}/receipt`, headers: bearer(token) })).statusCode, 200)
})

t.test('after any sequence of PIN changes and uses with lost answers, a PIN that was shown opens the case', async (t) => {
  const redis = await redisOf(t, service)
  const step = fc.constantFrom('ask', 'ask-and-lose', 'use-first', 'use-last', 'use-both')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      const her = await openCase(app)
      const shown = [her.pin]
      let { token } = her
      const use = async (pin = '') => {
        const answer = await tryPin(app, her.caseNumber, pin)
        if (answer.statusCode !== 201) return false
        token = answer.json<{ token: string }>().token
        return true
      }
      for (const each of steps) {
        if (each === 'ask') shown.push(await newPin(her, token, ...shown))
        if (each === 'ask-and-lose') await newPin(her, token, ...shown)
        if (each === 'use-first' || each === 'use-both') await use(shown.at(-2))
        if (each === 'use-last') await use(shown.at(-1))
        if (each === 'use-both') await Promise.all([use(shown.at(-2)), use(shown.at(-1))])
        // The limit of guesses has its own tests, so its count is reset; the token may have ended, so it is renewed.
        for (const key of await redis.keys('{tabir}:case:*'))
          if (/:case:[^:]+$/.test(key)) await redis.hdel(key, 'pinGuesses')
        for (const pin of shown) if ((await statusOf(her, token)) !== 200) await use(pin)
      }
      let opening = 0
      for (const pin of [...shown]) if (await use(pin)) opening++
      return opening >= 1 && opening <= 2 && (await statusOf(her, token)) === 200
    }),
    { numRuns: runs(12) },
  )
})
