// A platform's upload route that asks before it publishes. The picture stays in this process; only its hashes are sent.
//
//   TABIR_URL=http://127.0.0.1:8080 TABIR_API_KEY=… node examples/fastify-upload-hook.mjs
//   curl -F picture=@cat.jpg http://127.0.0.1:3000/uploads
//
// Answers: published, held for a moderator, or refused. When Tabir cannot be asked, the picture is held: what was never looked at is
// not published.

import multipart from '@fastify/multipart'
import { tabirClient } from '@tabir/client'
import Fastify from 'fastify'
import { pixelsOf } from './pixels.mjs'

/** What a grade means here. `review` is never acted on by a program alone. */
const DECISIONS = { exact: 'refused', strong: 'refused', near: 'held', review: 'held' }
const STATUS = { published: 201, held: 202, refused: 422 }

const tabir = tabirClient({ url: process.env.TABIR_URL, key: process.env.TABIR_API_KEY, maxTries: 3 })
const app = Fastify()
await app.register(multipart, { limits: { files: 1, fileSize: 20 << 20 } })

app.post('/uploads', async (request, reply) => {
  const file = await request.file()
  if (file === undefined) return reply.code(400).send({ outcome: 'no picture' })
  const bytes = await file.toBuffer()
  if (file.file.truncated) return reply.code(413).send({ outcome: 'too large' })
  let picture
  try {
    picture = await pixelsOf(bytes)
  } catch {
    return reply.code(422).send({ outcome: 'no picture' })
  }
  const outcome = await outcomeFor(picture)
  return reply.code(STATUS[outcome]).send({ outcome })
})

async function outcomeFor({ pixels, aspect }) {
  try {
    const { matches = [], problem } = await tabir.matchPixels(pixels, { aspect })
    if (problem !== undefined) return 'published' // too plain to be recognised, and so to be registered
    const [nearest] = matches.filter(({ disputed }) => !disputed)
    if (nearest === undefined) return matches.length > 0 ? 'held' : 'published'
    const outcome = DECISIONS[nearest.grade]
    // She learns that it works. `blocked` is for a person who looked: only that raises a tier.
    if (outcome === 'refused') await report(nearest.matchId, 'auto-blocked')
    return outcome
  } catch {
    return 'held'
  }
}

async function report(matchId, verdict) {
  await tabir.call('giveFeedback', { params: { matchId }, body: { verdict } }).catch(() => {}) // the scope `feedback`; not worth failing for
}

const url = await app.listen({ port: Number(process.env.PORT ?? 3000) })
console.log(url)
