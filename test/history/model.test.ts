import t from 'tap'
import {
  copyOf,
  emptyModel,
  expectedOf,
  homeEnded,
  type Model,
  registered,
  removed,
  restored,
  said,
  type Thing,
  thingAt,
} from './model.js'

const REF = { home: 'b0', hash: 'h0' }

function withThing(certain = true): { readonly model: Model; readonly thing: Thing } {
  const model = emptyModel()
  model.homes.set('b0', 'there')
  registered(model, REF, 'ngo-attested', certain)
  const thing = thingAt(model, REF)
  if (thing === undefined) throw new Error('it was registered')
  return { model, thing }
}
const matching = (model: Model, thing: Thing) => expectedOf(model, thing).matching

t.test('an acknowledged signal must match, and an unacknowledged one may match', async (t) => {
  const { model, thing } = withThing()
  t.equal(matching(model, thing), 'must')
  const { model: other, thing: unsure } = withThing(false)
  t.equal(matching(other, unsure), 'either')
  registered(other, REF, 'ngo-attested', true)
  t.equal(unsure.presence, 'there')
  t.equal(matching(other, unsure), 'either', 'earlier acts about it are unknown')
})

t.test('a withdrawn signal must never match until it is registered again', async (t) => {
  const { model, thing } = withThing()
  removed(thing, false)
  t.equal(matching(model, thing), 'either')
  removed(thing, true)
  t.match(expectedOf(model, thing), { matching: 'never', why: 'withdrawn' })
  registered(model, REF, 'self-reported', true)
  const again = thingAt(model, REF)
  t.ok(again !== undefined && matching(model, again) === 'must')
})

t.test('a removed bank takes all of its signals with it', async (t) => {
  const { model, thing } = withThing()
  homeEnded(model, 'b0', false)
  t.equal(matching(model, thing), 'either')
  homeEnded(model, 'b0', true)
  t.equal(matching(model, thing), 'never')
})

t.test('a hold and a pause are independent, and each ends by itself', async (t) => {
  const { model, thing } = withThing()
  said(thing, true, { pausedUntilS: 100 })
  t.match(expectedOf(model, thing), { matching: 'never', why: 'paused' })
  said(thing, true, { isHeld: true })
  t.match(expectedOf(model, thing), { matching: 'never', why: 'two-holds' })
  model.nowS = 101
  t.equal(matching(model, thing), 'never')
  said(thing, true, { isHeld: false })
  t.equal(matching(model, thing), 'either', 'a process ends it')
  model.nowS = 110
  t.equal(matching(model, thing), 'must')
})

t.test('from the moment when a pause ends and for some seconds, a signal may match or not', async (t) => {
  const { model, thing } = withThing()
  said(thing, true, { pausedUntilS: 100 })
  model.nowS = 99
  t.equal(matching(model, thing), 'either')
  model.nowS = 100.5
  t.equal(matching(model, thing), 'either')
  said(thing, true, { pausedUntilS: undefined })
  t.equal(matching(model, thing), 'must')
})

t.test('an invalidated signal must not match, and others with the same hash must', async (t) => {
  const { model, thing } = withThing()
  registered(model, { home: 'b1', hash: 'h0' }, 'ngo-attested', true)
  model.homes.set('b1', 'there')
  said(thing, true, { dispute: 'upheld' })
  model.judged.add('h0')
  t.match(expectedOf(model, thing), { matching: 'never', why: 'rejected', disputed: false })
  const other = thingAt(model, { home: 'b1', hash: 'h0' })
  t.ok(other !== undefined && matching(model, other) === 'must')
})

t.test('a tier rises with more support, and with less it may fall or stay', async (t) => {
  const { model, thing } = withThing()
  t.strictSame(expectedOf(model, thing).tiers, ['ngo-attested'])
  registered(model, REF, 'self-reported', true)
  t.strictSame(expectedOf(model, thing).tiers, ['self-reported', 'ngo-attested'])
  said(thing, true, { verified: true })
  t.strictSame(expectedOf(model, thing).tiers, ['verified'])
})

t.test('an act without an answer leaves its outcome open', async (t) => {
  const { model, thing } = withThing()
  said(thing, false, { isHeld: true })
  t.match(expectedOf(model, thing), { matching: 'either', disputed: undefined })
})

t.test('a restored store has its old signals, without those known to be withdrawn since', async (t) => {
  const { model } = withThing()
  registered(model, { home: 'b0', hash: 'h1' }, 'ngo-attested', true)
  const then = copyOf(model)
  const withdrawn = thingAt(model, REF)
  if (withdrawn !== undefined) removed(withdrawn, true)
  registered(model, { home: 'b0', hash: 'late' }, 'ngo-attested', true)
  for (const [knows, expected] of [
    [true, { matching: 'never', why: 'known to be withdrawn' }],
    [false, { matching: 'either' }],
  ] as const) {
    const back = restored(model, then, knows)
    const expectedAt = (hash: string) => {
      const thing = thingAt(back, { home: 'b0', hash })
      return thing === undefined ? undefined : expectedOf(back, thing)
    }
    t.match(expectedAt('h0'), expected)
    t.match(expectedAt('h1'), { matching: 'must' })
    t.match(expectedAt('late'), { matching: 'either' })
  }
})
