// Somebody sends so many rows that all other matches become weaker.

import { type Ending, keyFor, openCase, randomHashText, randomlyFlipped, startService } from '../helpers/service.js'
import type { Scale } from './attacks.js'

/** A grade per upload is strong up to 31 bits among few pictures, and up to 24 among 3,000. */
const COPY_BITS = 28

/** One case sends videos of chosen hashes; a copy of an attested picture must stay strong under `grading=per-upload`. */
export async function inflate(t: Ending, scale: Scale): Promise<string[]> {
  const service = await startService(t, { exposure: 'public' })
  const { headers } = await keyFor(service, 'platform', ['match'])
  const [pdq, blockhash] = [randomHashText(), randomHashText()]
  const signalsOf = (hash: string) => [
    { type: 'pdq', quality: 100, hash },
    { type: 'blockhash', quality: 100, hash: blockhash },
  ]
  const post = async (url: string, own: Readonly<Record<string, string>>, payload: object) => {
    const answer = await service.app.inject({ method: 'POST', url, headers: own, payload })
    if (answer.statusCode >= 300) throw new Error(answer.body)
    return answer
  }
  const ngo = await keyFor(service, 'an NGO', ['cases:write'], 'ngo')
  const consent = { kind: 'in-person', on: '2026-01-31' }
  const opened = await post('/v1/assisted-cases', ngo.headers, { adult: true, consent, attest: true })
  const her = `/v1/cases/${opened.json<{ caseNumber: string }>().caseNumber}`
  await post(`${her}/hashes`, ngo.headers, { images: [{ signals: signalsOf(pdq) }] })
  const copy = signalsOf(randomlyFlipped(pdq, COPY_BITS))
  const gradeNow = async () => {
    const answer = await post('/v1/match', headers, { grading: 'per-upload', queries: [{ signals: copy }] })
    return answer.json<{ results: [{ matches: { grade: string }[] }] }>().results[0].matches[0]?.grade
  }
  const before = await gradeNow()
  if (before !== 'strong') throw new Error(`the copy is ${before}`)
  const { url, headers: own } = await openCase(service.app)
  for (let videos = scale === 'large' ? 5 : 1; videos > 0; videos--) {
    const rows = Array.from({ length: scale === 'large' ? 10_000 : 3000 }, () => signalsOf(randomHashText()).slice(0, 1))
    const frames = rows.map((signals, i) => ({ atMs: 10 * i, signals }))
    await post(`${url}/hashes`, own, { videos: [{ durationMs: 10 * frames.length, frames }] })
  }
  const after = await gradeNow()
  return after === before ? [] : [`a copy is ${after} in place of ${before}, because others sent many rows`]
}
