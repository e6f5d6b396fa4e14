// Somebody sends so many rows that other matches become weaker, or that the store fills.

import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { type Ending, keyFor, openCase, randomHashText, randomlyFlipped, startService } from '../helpers/service.js'
import { caseWithPicture, matchesOf, vouchedCase } from '../helpers/trust.js'
import { send } from '../helpers/uploads.js'
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

const ROOM_OF_DAY = 20_000

/** Many cases send hashes until nothing more is taken. What was registered before, uploads and vouched cases must not notice. */
export async function fill(t: Ending, scale: Scale): Promise<string[]> {
  const trustLimits = { maxUnattestedHashesPerDay: scale === 'large' ? 10 * ROOM_OF_DAY : ROOM_OF_DAY }
  const service = await startService(t, { workers: true, trustLimits })
  const { headers } = await keyFor(service, 'platform', ['match'])
  const picture = { name: 'a.png', contentType: 'image/png', bytes: (await scene(1400, { format: 'png' })).bytes }
  const before = await caseWithPicture(service)
  let taken = 0
  let last = 201
  for (let cases = 0; last === 201 && cases < 40; cases++) {
    const { url, headers: own } = await openCase(service.app)
    const frames = Array.from({ length: 10_000 }, (_, i) => {
      return { atMs: 10 * i, signals: [{ type: 'pdq', quality: 100, hash: randomHashText() }] }
    })
    const payload = { videos: [{ durationMs: 100_000, frames }] }
    last = (await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: own, payload })).statusCode
    if (last === 201) taken += frames.length
  }
  const broken: string[] = []
  if (taken > trustLimits.maxUnattestedHashesPerDay) broken.push(`cases that nobody vouches for could send ${taken} hashes`)
  if ((await matchesOf(service, headers, before.hash)).length === 0) broken.push('a picture from before is not found')
  const her = await openCase(service.app)
  const upload = await send(service.app, { url: `${her.url}/images`, headers: her.headers }, images([picture]))
  if (upload.statusCode !== 201) broken.push(`an upload gets ${upload.statusCode}`)
  const theirs = await vouchedCase(service)
  const payload = { images: [{ signals: [{ type: 'pdq', quality: 100, hash: randomHashText() }] }] }
  const vouched = await service.app.inject({ method: 'POST', url: `${theirs.url}/hashes`, headers: theirs.headers, payload })
  if (vouched.statusCode !== 201) broken.push(`a case that somebody vouches for gets ${vouched.statusCode}`)
  return broken
}
