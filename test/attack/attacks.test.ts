// In a small form. `npm run attack` runs them large.

import t from 'tap'
import { ATTACKS } from './attacks.js'

for (const { name, run } of ATTACKS)
  t.test(`no attack can ${name}`, async (t) => {
    t.same(await run(t, 'small'), [])
  })
