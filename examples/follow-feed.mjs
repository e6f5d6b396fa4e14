// Matches inside your own walls: follows the feed, and answers for each line of standard input (a PDQ hash as 64 hex digits) what it matches.
//
//   TABIR_URL=https://tabir.example TABIR_API_KEY=tbr_live_… node examples/follow-feed.mjs feed.ndjson

import { createInterface } from 'node:readline'
import { openFeed, parseHash } from '@tabir/feed'

const feed = await openFeed({
  baseUrl: process.env.TABIR_URL ?? 'http://127.0.0.1:8080',
  key: process.env.TABIR_API_KEY ?? '',
  ...(process.argv[2] !== undefined && { file: process.argv[2] }),
  onError: (error) => console.error(String(error)),
})
await feed.sync()
console.error(`${feed.size} signals`)

const stopping = new AbortController()
const following = feed.run(stopping.signal)
for await (const line of createInterface({ input: process.stdin })) {
  const hash = parseHash(line.trim())
  console.log(
    JSON.stringify(hash === undefined ? { error: 'no PDQ hash' } : { matches: feed.match([{ type: 'pdq', hash }]) }),
  )
}
stopping.abort()
await following
