// A list that is written while it is made.

import fc from 'fast-check'
import { t } from 'tap'
import { z } from 'zod'
import { listWriterOf } from '../../src/http/list-writer.js'

const Element = z.object({ name: z.string().optional(), numbers: z.array(z.int()) })
const begin = listWriterOf(Element)

t.test('a list is written as it would be at one go, whatever was set anew before its end', async () => {
  const element = fc.record(
    { name: fc.string(), numbers: fc.array(fc.integer(), { maxLength: 3 }) },
    { requiredKeys: ['numbers'] },
  )
  const list = fc.array(element, { maxLength: 220 })
  const anew = fc.array(fc.tuple(fc.nat(219), element), { maxLength: 5 })
  fc.assert(
    fc.property(list, anew, (elements, changes) => {
      const writer = begin()
      for (const [i, each] of elements.entries()) writer.put(i, each)
      for (const [i, each] of changes) {
        if (i >= elements.length) continue
        writer.put(i, each)
        elements[i] = each
      }
      if (writer.text() !== JSON.stringify(elements)) throw new Error(writer.text())
    }),
    { numRuns: 200 },
  )
})

t.test('what the schema does not name is left out, and what is not as it says is an error', async (t) => {
  const writer = begin()
  const secret = { numbers: [1], hash: 'secret' }
  writer.put(0, secret)
  t.equal(writer.text(), '[{"numbers":[1]}]')
  writer.put(1, { numbers: [0.5] })
  t.throws(() => writer.text())
})
