// Which parts of a picture a follower of the feed gets.

import t from 'tap'
import { follower, type linesIn, readFeed } from '../helpers/feed.js'
import { refused } from '../helpers/refusal.js'
import { del } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

t.test('only a key with feed:all-views gets all parts of a picture', async (t) => {
  const service = await startService(t)
  const reader = await keyFor(service, 'reader', ['feed'])
  const wide = await keyFor(service, 'reader', ['feed', 'feed:all-views'])
  const her = await openCase(service.app)
  const parts = Array.from({ length: 16 }, () => ({ type: 'pdq-area', view: 'crop', hash: randomHashText(), quality: 80 }))
  const whole = { type: 'pdq', hash: randomHashText(), quality: 80 }
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [{ signals: [whole, ...parts] }] })
  const hashes = (lines: ReturnType<typeof linesIn>) =>
    lines.flatMap((line) => (line.op === 'upsert' ? line.signals.map(({ hash }) => hash) : []))
  const [few, all] = [follower(), follower()]
  const [narrow, full] = [await readFeed(service, reader.headers), await readFeed(service, wide.headers)]
  few.hear(narrow)
  all.hear(full)
  t.same(
    hashes(full),
    [whole, ...parts].map(({ hash }) => hash),
  )
  t.equal(hashes(narrow).length, 9)
  t.same(hashes(narrow), hashes(await readFeed(service, reader.headers)), 'the same parts again')
  t.equal(hashes(narrow)[0], whole.hash)

  const get = (after: string | undefined, headers: Record<string, string>) =>
    service.app.inject({ url: `/v1/feed?after=${after}`, headers })
  refused(t, await get(all.cursor(), reader.headers), 'cursor-unknown', 'a snapshot drops the other parts')
  refused(t, await get(few.cursor(), wide.headers), 'cursor-unknown', 'and brings them')
  await del(service.app, her.url, her.headers)
  for (const [his, { headers }] of [
    [few, reader],
    [all, wide],
  ] as const) {
    his.hear(await readFeed(service, headers, `?after=${his.cursor()}`))
    t.equal(his.held.size, 0, 'withdrawn for both')
  }
})
