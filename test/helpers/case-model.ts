// Shared by the model test of cases and its process: which step does what to which case.

export const MODEL_NOW_MS = 1000
export const MODEL_END_MS = 1_000_000

export type ModelAction =
  | 'open'
  | 'submit'
  | 'attest'
  | 'vouch'
  | 'dispute'
  | 'hold'
  | 'strike'
  | 'renew'
  | 'withdrawn'
  | 'expired'

/** Many submissions, few ends; the same in every run. */
export function actionOf(step: number): ModelAction {
  const drawn = (Math.imul(step + 1, 2654435761) >>> 8) % 100
  if (drawn < 20) return 'open'
  if (drawn < 50) return 'submit'
  if (drawn < 60) return 'attest'
  if (drawn < 69) return 'vouch'
  if (drawn < 80) return 'dispute'
  if (drawn < 84) return 'hold'
  if (drawn < 86) return 'strike'
  if (drawn < 92) return 'renew'
  return drawn < 97 ? 'withdrawn' : 'expired'
}

/** Each round of steps has its own cases, so that some cases are open until the last round. */
export const STEPS_A_ROUND = 100_000

export function caseNumberOf(step: number, casesARound: number): number {
  return Math.floor(step / STEPS_A_ROUND) * casesARound + (step % casesARound)
}

/** The picture that a step acts on: of the same case, submitted one to four of its steps earlier, if it was. */
export function spokenOf(step: number, casesARound: number): string {
  const back = 1 + ((Math.imul(step + 7, 2246822519) >>> 10) % 4)
  return imageIdOf(Math.max(step % casesARound, step - back * casesARound))
}

export function caseIdOf(number: number): string {
  return number.toString(16).padStart(32, '0')
}

/** A UUID whose last byte, and so whose shard, depends on the step. */
export function imageIdOf(step: number): string {
  return `00000000-0000-8000-8000-${step.toString(16).padStart(12, '0')}`
}
