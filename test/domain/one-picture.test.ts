// What is called the whole of a picture has to be near its PDQ.

import t from 'tap'
import { withoutFalseWholes } from '../../packages/core/src/matching/one-picture.js'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'

type Row = Pick<Signal, 'type' | 'hash' | 'frame'> & Partial<Signal>
const viewsOf = (...rows: readonly Row[]) =>
  withoutFalseWholes(rows.map((row) => ({ view: 'whole', quality: 100, ...row }))).map(({ view }) => view)
const pdq = (name: string, frame?: number): Row => ({
  type: 'pdq',
  hash: hashNamed(name),
  ...(frame !== undefined && { frame }),
})
const area = (name: string, bits = 0, frame?: number): Row => ({
  ...{ type: 'pdq-area', hash: bitsFrom(hashNamed(name), bits) },
  ...(frame !== undefined && { frame }),
})

t.test('a row that is called the whole becomes a crop if it is far from the PDQ of a whole', async (t) => {
  t.same(viewsOf(pdq('a'), area('a', 60)), ['whole', 'whole'])
  t.same(viewsOf(pdq('a'), area('a', 61)), ['whole', 'crop'])
  t.same(viewsOf(pdq('a'), area('b')), ['whole', 'crop'])
  t.same(viewsOf(area('a')), ['crop'], 'without any PDQ')
  t.same(viewsOf({ ...pdq('a'), view: 'crop' }, area('a')), ['crop', 'crop'])
  t.same(viewsOf(pdq('a'), { ...area('b'), view: 'tilted' }, { ...area('c'), type: 'blockhash' }), [
    'whole',
    'tilted',
    'whole',
  ])
})

t.test('a file has a whole for each of its frames, and a frame of a video has one', async (t) => {
  t.same(viewsOf(pdq('a'), area('a'), pdq('b'), area('b')), ['whole', 'whole', 'whole', 'whole'])
  t.same(viewsOf(pdq('a', 0), area('a', 9, 0), pdq('b', 0), area('b', 9, 0)), ['whole', 'whole', 'whole', 'crop'])
  t.same(viewsOf(pdq('a', 0), area('a', 9, 1)), ['whole', 'crop'], 'another frame')
  t.same(viewsOf(pdq('a', 1), area('a', 9, 1)), ['whole', 'whole'])
})
