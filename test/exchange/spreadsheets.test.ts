import t from 'tap'
import { readerFor } from '../../src/exchange/signal-lines.js'
import { read } from './read-lines.js'

const A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'
const B = '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d'

t.test('a table may have tabs between its columns', async (t) => {
  t.same(read('name\thash\tquality', `me.jpg\t${A}\t90`, `a, b; c\t${B}\t`, 'x').records, [
    'blank',
    `pdq 90 ${A}`,
    `pdq 100 ${B}`,
    'columns-missing',
  ])
  t.same(read(`${A}\t90\tme.jpg`, `${B}\t12\tme.jpg`), { format: 'csv', records: [`pdq 90 ${A}`, 'quality-too-low'] })
  t.same(read(`pdq\t${A}\t100`, `sha256\t${B}\t`).records, [`pdq 100 ${A}`, `sha256 100 ${B}`])
  t.same(read('sha256\tpdq\tother', `\t${A}\t${B}`).records, ['blank', `pdq 100 ${A}`], 'an empty first column')
  t.same(read('hash\ttags', `${A}\tchild`).records, ['blank', 'minor-declared'])
  t.same(read(`pdq\t${A}`, B, '# note').format, 'lines', 'a type and a hash are a plain line, with a tab as with a space')
})

t.test('hashes are read with 0x, and with a space or colon between bytes', async (t) => {
  const apart = (separator: string) => (A.match(/../g) ?? []).join(separator)
  t.same(read(`0x${A}`, `0X${A.toUpperCase()}`, `pdq 0x${A}`, apart(' '), `pdq ${apart(' ')}`, apart(':')).records, [
    ...Array.from({ length: 6 }, () => `pdq 100 ${A}`),
  ])
  t.same(read(`0x${A},90`, `${apart(' ')},90`, `0x${A.slice(2)},90`).records, [
    `pdq 90 ${A}`,
    `pdq 90 ${A}`,
    'hash-malformed',
  ])
  t.same(read('hash', `0x${A}`).records, ['blank', `pdq 100 ${A}`])
  t.same(read(JSON.stringify({ type: 'pdq', hash: `0x${A}` }), JSON.stringify({ type: 'pdq', hash: apart(' ') })).records, [
    `pdq 100 ${A}`,
    `pdq 100 ${A}`,
  ])
  t.same(read(`0x0x${A}`, `${apart(' ')} a1`, apart(' ').slice(3), apart('-'), `${A} ${A}`).records, [
    'hash-malformed',
    'record-unreadable',
    'hash-malformed',
    'hash-malformed',
    'signal-type-unknown',
  ])
})

t.test('a list in JSON is refused with what to do', async (t) => {
  for (const first of [
    `[{"type":"pdq","hash":"${A}"}]`,
    '[',
    '{',
    `{"data":[{"indicator":"${A}"}]}`,
    '{ "data" : [',
    '\t[',
  ]) {
    const why = t.throws(() => readerFor(first), { code: 'request-invalid' }, first)
    t.match(why, { errors: [{ pointer: '#', detail: /NDJSON: one object a line/ }] })
  }
  t.equal(readerFor(`{"type":"pdq","hash":"${A}","data":[]}`).format, 'ndjson')
})
