// A registered picture or video, and the platforms, NGOs and operator who judge it.

import type { InjectOptions } from 'fastify'
import { z } from 'zod'
import type { Scope } from '../../src/domain/organisations/access.js'
import { keyFor, openCase, randomHashText, type TestService } from './service.js'

type Headers = Readonly<Record<string, string>>

const Registered = z.object({ images: z.array(z.object({ imageId: z.string() })) })
const RegisteredVideos = z.object({ videos: z.array(z.object({ imageId: z.string() })) })
const Answer = z.object({
  results: z.array(
    z.object({
      matches: z.array(
        z.object({ matchId: z.string(), tier: z.string(), disputed: z.boolean(), bank: z.string(), grade: z.string() }),
      ),
    }),
  ),
})

const PLATFORM_SCOPES: readonly Scope[] = ['match', 'feedback']

export function platform(service: TestService, name: string) {
  return keyFor(service, name, PLATFORM_SCOPES)
}

export function ngo(service: TestService, name: string) {
  return keyFor(service, name, [...PLATFORM_SCOPES, 'signals:write'], 'ngo')
}

export function operator(service: TestService) {
  return keyFor(service, 'operator', ['admin', 'signals:write'], 'operator')
}

/** A case that an organisation vouches for: its hashes are believed. */
export async function vouchedCase(service: TestService, more: { readonly attest?: true } = {}) {
  const { headers } = await keyFor(service, 'a helpline', ['cases:write'], 'ngo')
  const given = { adult: true, consent: { kind: 'in-person', on: '2026-01-31' }, ...more }
  const { caseNumber } = (await ask(service, 'POST', '/v1/assisted-cases', headers, given)).json<{ caseNumber: string }>()
  return { url: `/v1/cases/${caseNumber}`, headers }
}

/** A case with one picture of one PDQ hash. */
export async function caseWithPicture(service: TestService, hash = randomHashText()) {
  const her = await openCase(service.app)
  const response = await service.app.inject({
    method: 'POST',
    url: `${her.url}/hashes`,
    headers: her.headers,
    payload: { images: [{ signals: [{ type: 'pdq', hash, quality: 100 }] }] },
  })
  const [image] = Registered.parse(response.json()).images
  if (image === undefined) throw new Error(response.body)
  return { ...her, hash, imageId: image.imageId }
}

export const FRAME_MS = 2000

/** A video with a frame for each hash, for a submission or a query. */
export function filmOf(hashes: readonly string[]) {
  const frames = hashes.map((hash, i) => ({ atMs: i * FRAME_MS, signals: [{ type: 'pdq', hash, quality: 100 }] }))
  return { durationMs: hashes.length * FRAME_MS, frames }
}

/** A case with one video of some frames. */
export async function caseWithVideo(
  service: TestService,
  hashes: readonly string[] = [randomHashText(), randomHashText(), randomHashText()],
) {
  const her = await openCase(service.app)
  const response = await ask(service, 'POST', `${her.url}/hashes`, her.headers, { videos: [filmOf(hashes)] })
  const [video] = RegisteredVideos.parse(response.json()).videos
  if (video === undefined) throw new Error(response.body)
  return { ...her, hashes, imageId: video.imageId }
}

/** The matches that this organisation gets for this hash. */
export async function matchesOf({ app }: TestService, headers: Headers, hash: string, more: object = {}) {
  const payload = { queries: [{ signals: [{ type: 'pdq', hash }], ...more }], transforms: false }
  const response = await app.inject({ method: 'POST', url: '/v1/match', headers, payload })
  if (response.statusCode !== 200) throw new Error(response.body)
  return Answer.parse(response.json()).results[0]?.matches ?? []
}

/** The organisation's match id for this hash. @throws if there is none. */
export async function matchIdOf(service: TestService, headers: Headers, hash: string): Promise<string> {
  const [match] = await matchesOf(service, headers, hash)
  if (match === undefined) throw new Error('matches nothing')
  return match.matchId
}

export function ask(
  { app }: TestService,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  headers: Headers,
  payload?: InjectOptions['payload'],
) {
  return app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
}

export async function feedback(
  service: TestService,
  { headers }: { readonly headers: Headers },
  hash: string,
  said: object,
) {
  const matchId = await matchIdOf(service, headers, hash)
  return ask(service, 'POST', `/v1/matches/${matchId}/feedback`, headers, said)
}
