// Banks in the HMA interface.

import t from 'tap'
import { HMA_SCOPES, hmaClient, hmaWorld } from '../helpers/hma.js'
import { MARKER } from '../helpers/refusal.js'
import { keyFor, randomHashText } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

t.test('names that every object inherits are refused as bank names, and lookups keep answering', async (t) => {
  const { key, service, hma, look } = await hmaWorld(t)
  for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
    const made = await ask(service, 'POST', '/v1/banks', key.headers, { name })
    t.match(made.json(), { status: 400, code: 'request-invalid' }, name)
    t.match(await hma('POST', '/c/banks', { name }), { status: 400 }, `${name} over HMA`)
  }
  t.same(await look(randomHashText()), {})
})

t.test('HMA routes create, change, list and delete banks with the errors of HMA', async (t) => {
  const { hma } = await hmaWorld(t)
  t.same(await hma('POST', '/c/banks', { name: 'A', enabled_ratio: '0.5', matching_enabled_ratio: 1 }), {
    status: 201,
    body: { name: 'A', matching_enabled_ratio: 0.5 },
  })
  t.match(await hma('POST', '/c/banks', { name: 'A' }), { status: 403, body: { message: 'Bank already exists' } })
  t.match(await hma('POST', '/c/banks', { name: 'B', enabled: 'true' }), {
    status: 201,
    body: { matching_enabled_ratio: 1 },
  })
  for (const name of ['lower', '1A', 'A-B', 'Ä', '', 'A'.repeat(300)])
    t.match(await hma('POST', '/c/banks', { name }), {
      status: 400,
      body: { message: 'Bank names must be UPPER_WITH_UNDERSCORE' },
    })
  t.match(await hma('POST', '/c/banks', {}), {
    status: 422,
    body: [{ type: 'missing', loc: ['name'], msg: 'Field required' }],
  })
  for (const [method, url] of [
    ['POST', '/c/banks'],
    ['PUT', '/c/bank/MINE'],
  ] as const)
    for (const body of [undefined, []]) {
      const answer = await hma(method, url, body)
      t.match(answer, { status: 422, body: [{ type: 'model_type', loc: [] }] })
      t.equal(Object(answer.body).length, 1, 'one error only')
    }
  for (const [ratio, type] of [
    [2, 'less_than_equal'],
    [-1, 'greater_than_equal'],
    ['x', 'float_parsing'],
  ] as const)
    t.match(await hma('POST', '/c/banks', { name: 'RATIO', enabled_ratio: ratio }), {
      status: 422,
      body: [{ type, loc: ['enabled_ratio'] }],
    })
  t.match(await hma('POST', '/c/banks', { name: 'OFF', enabled: false }), { body: { matching_enabled_ratio: 0 } })
  await hma('DELETE', '/c/bank/OFF')
  t.match(await hma('POST', '/c/banks', { name: 7 }), { status: 422, body: [{ type: 'string_type' }] })
  const wrong = await hma('POST', '/c/banks', { name: 'C', enabled_ratio: MARKER, enabled: MARKER })
  t.match(wrong, { status: 422, body: [{ type: 'float_parsing' }, { type: 'bool_parsing' }] })
  t.notMatch(JSON.stringify(wrong), MARKER, 'the input is not echoed')
  t.same(await hma('GET', '/c/bank/A'), { status: 200, body: { name: 'A', matching_enabled_ratio: 0.5 } })
  t.match(await hma('GET', '/c/bank/NO_SUCH'), { status: 404, body: { message: String } })
  t.match(await hma('PUT', '/c/bank/NO_SUCH', { enabled: true }), { status: 404, body: { message: 'Bank not found' } })
  t.match(await hma('PUT', '/c/bank/A', { name: 'A', enabled_ratio: 0.25 }), { body: { matching_enabled_ratio: 0.25 } })
  const renamed = (name: string) => hma('PUT', '/c/bank/A', { name, enabled_ratio: 1 })
  t.match(await renamed('Z'), { status: 400, body: { message: 'Banks cannot be renamed. Create another one' } })
  t.match(await renamed('lower'), { status: 400, body: { message: 'Bank names must be UPPER_WITH_UNDERSCORE' } })
  await hma('POST', '/c/banks', { name: 'TAKEN' })
  t.match(await renamed('TAKEN'), { status: 403, body: { message: 'Bank name already exists' } })
  t.match((await hma('GET', '/c/bank/A')).body, { name: 'A', matching_enabled_ratio: 0.25 }, 'nothing was changed')
  await hma('DELETE', '/c/bank/TAKEN')
  t.same(await hma('DELETE', '/c/bank/NO_SUCH'), { status: 200, body: { message: 'Done' } })
  t.match((await hma('GET', '/c/banks')).body, [{ name: 'cases', matching_enabled_ratio: 1 }, {}, {}, {}])
  t.match(await hma('DELETE', '/c/bank/cases'), { status: 403 })
})

t.test('a bank that is created over HMA is visible to its own organisation only', async (t) => {
  const { service, add, look } = await hmaWorld(t)
  const hash = randomHashText()
  await add(hash)
  const other = await keyFor(service, 'other', HMA_SCOPES)
  const theirs = hmaClient(service, other.headers)
  t.notMatch((await theirs('GET', '/c/banks')).body, [{ name: 'MINE' }])
  t.same((await theirs('GET', `/m/lookup?signal_type=pdq&signal=${hash}`)).body, {})
  t.match(await look(hash), { MINE: [{ distance: '0' }] })
})
