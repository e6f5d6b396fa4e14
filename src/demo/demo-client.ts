// A client for the routes that the demo calls.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

export interface Upload {
  readonly bytes: Buffer
  readonly contentType: string
}

const OpenedCase = z.object({ caseNumber: z.string(), token: z.string() })
const PartProblem = z.object({ title: z.string() })
const RegisteredImage = z.object({
  quality: z.int().optional(),
  state: z.string().optional(),
  problem: PartProblem.optional(),
})
const RegisteredImages = z.object({ images: z.array(RegisteredImage) })
const Match = z.object({
  grade: z.string(),
  distanceBand: z.string(),
  distanceBits: z.int().optional(),
  signalType: z.string(),
})
const Result = z.object({ matches: z.array(Match).optional(), problem: PartProblem.optional() })
const Results = z.object({ results: z.array(Result) })

export type RegisteredImage = z.infer<typeof RegisteredImage>
export type Match = z.infer<typeof Match>
/** Answer for one picture: its matches, nearest first, or why it could not be queried. */
export type Result = z.infer<typeof Result>

export interface Client {
  openCase(): Promise<z.infer<typeof OpenedCase>>
  /** @returns the answer for the picture, which may be a refusal. */
  register(opened: z.infer<typeof OpenedCase>, picture: Upload): Promise<RegisteredImage>
  match(pictures: readonly Upload[]): Promise<Result[]>
  withdraw(opened: z.infer<typeof OpenedCase>): Promise<void>
}

/** The service refused, or its answer did not fit the schema. */
export class Refused extends Error {
  readonly title: string

  constructor(title: string) {
    super(title)
    this.name = 'Refused'
    this.title = title
  }
}

const MAX_TRIES = 5
const MAX_WAIT_S = 10

export function clientOf(url: string, key: string): Client {
  const call = async (method: string, path: string, secret: string | undefined, body?: unknown): Promise<unknown> => {
    for (let tries = 1; ; tries++) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
          ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
      })
      const answer: unknown = await response.json().catch(() => undefined)
      if (response.ok) return answer
      const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN)
      const isBusy = response.status === 429 || response.status === 503
      if (!isBusy || tries === MAX_TRIES || !(retryAfterS <= MAX_WAIT_S)) {
        throw new Refused(PartProblem.safeParse(answer).data?.title ?? `The service answered ${response.status}.`)
      }
      await sleep(retryAfterS * 1000)
    }
  }

  return {
    async openCase() {
      return OpenedCase.parse(await call('POST', '/v1/cases', undefined, { adult: true }))
    },
    async register({ caseNumber, token }, picture) {
      try {
        const answer = await call('POST', `/v1/cases/${caseNumber}/images`, token, formOf([picture]))
        const [image] = RegisteredImages.parse(answer).images
        return image ?? { problem: { title: 'The service did not say what became of it.' } }
      } catch (error) {
        if (error instanceof Refused) return { problem: { title: error.title } }
        throw error
      }
    },
    async match(pictures) {
      try {
        return Results.parse(await call('POST', '/v1/match/images', key, formOf(pictures))).results
      } catch (error) {
        if (error instanceof Refused) return pictures.map(() => ({ problem: { title: error.title } }))
        throw error
      }
    },
    async withdraw({ caseNumber, token }) {
      await call('DELETE', `/v1/cases/${caseNumber}`, token)
    },
  }
}

/** A form with parts named `image`, under a file name that says nothing. */
function formOf(pictures: readonly Upload[]): FormData {
  const form = new FormData()
  for (const { bytes, contentType } of pictures) {
    form.append('image', new Blob([new Uint8Array(bytes)], { type: contentType }), 'picture')
  }
  return form
}
