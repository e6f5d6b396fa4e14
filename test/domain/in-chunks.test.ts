import t from 'tap'
import { inChunks } from '../../src/domain/in-chunks.js'

t.test('every item is in one chunk, in order, and no chunk is longer than asked or empty', async (t) => {
  t.same([...inChunks([1, 2, 3, 4, 5], 2)], [[1, 2], [3, 4], [5]])
  t.same([...inChunks([1, 2], 2)], [[1, 2]])
  t.same([...inChunks([1], 2)], [[1]])
  t.same([...inChunks([], 2)], [])
})
