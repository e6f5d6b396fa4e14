import t from 'tap'
import { ownValue } from '../../packages/core/src/own-value.js'

t.test('ownValue returns own values of a table and no inherited ones', async (t) => {
  const table = { a: 1, ...JSON.parse('{"__proto__": 2}') }
  t.equal(ownValue(table, 'a'), 1)
  t.equal(ownValue(table, '__proto__'), 2)
  for (const name of ['constructor', 'toString', 'b']) t.equal(ownValue(table, name), undefined, name)
})
