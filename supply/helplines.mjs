// Names the helplines whose sources nobody read for 18 months, and fails if there are any. The daily workflow runs it, and so does who makes a release.
//
//   npm run helplines
//
// To renew one: open each page in `sources`, call the line or open its page, correct the entry in src/domain/cases/helplines.ts, and set `checked` to
// the day on which you did so.

import { HELPLINES } from '../dist/src/domain/cases/helplines.js'
import { staleHelplines } from '../dist/src/domain/cases/hotlines.js'

const stale = staleHelplines(new Date())
for (const { name, country, checked, sources } of stale) {
  console.log(`${country ?? 'worldwide'}: ${name}, checked ${checked}\n  ${sources.join('\n  ')}`)
}
console.log(`${stale.length} of ${HELPLINES.length} helplines have to be checked again.`)
if (stale.length > 0) process.exitCode = 1
