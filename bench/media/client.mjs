// The requests of a person and of a platform about one file. Every case opened here is withdrawn, so files do not match each other.

import { setTimeout as sleep } from 'node:timers/promises'

const TIMEOUT_MS = 120_000
/** An overloaded service tells when to come again. */
const MAX_TRIES = 4

/** @param {{ url: string, key: string }} service a key with `match`; with `match:distance` the distances are shown too. */
export function createClient({ url, key }) {
  const platform = { authorization: `Bearer ${key}` }

  return {
    /** @returns `{ status }` of a registration in a fresh case, with `code` where it is refused; `{ failed }` where no answer came. */
    register: (bytes) => inFreshCase((add) => add(bytes)),
    match,
    /**
     * Registers `truth` in a fresh case and asks with `bytes`.
     * @param before the answer to `match(bytes)` beforehand: what was found then does not count.
     * @returns `{ found }`, the first match in words; else the answer that has none.
     */
    finds: (truth, bytes, before) =>
      inFreshCase(async (add) => {
        const added = await add(truth)
        if (added.status !== 201) return { failed: `registering it: ${added.failed ?? `${added.status} ${added.code}`}` }
        const answer = await match(bytes)
        const known = new Set(before.matches?.map(({ matchId }) => matchId))
        const found = answer.matches?.find(({ matchId }) => !known.has(matchId))
        return found === undefined ? answer : { found: `${found.grade} ${found.view}, ${found.distanceBits ?? '?'} bits` }
      }),
  }

  /** @returns `{ status, code, pdq, matches }`: PDQ of the view whole, where there is one; or `{ failed }`. */
  async function match(bytes) {
    const { status, code, failed, body } = await asked('POST', '/v1/match/images', platform, formOf(bytes))
    const result = body?.results?.[0]
    const pdq = result?.signals?.find(({ type, view }) => type === 'pdq' && view === 'whole')?.hash
    return { status, code, failed, pdq, matches: result?.matches }
  }

  async function inFreshCase(work) {
    const opened = await asked('POST', '/v1/cases', { 'content-type': 'application/json' }, '{"adult":true}')
    if (opened.status !== 201) return { failed: `no case was opened: ${opened.failed ?? `${opened.status} ${opened.code}`}` }
    const path = `/v1/cases/${opened.body.caseNumber}`
    const mine = { authorization: `Bearer ${opened.body.token}` }
    const result = await work((bytes) => asked('POST', `${path}/images`, mine, formOf(bytes)))
    const withdrawn = await asked('DELETE', path, mine)
    if (withdrawn.status === 200) return result
    return { failed: `the case was not withdrawn: ${withdrawn.failed ?? `${withdrawn.status} ${withdrawn.code}`}` }
  }

  /** Never throws: a file that makes the service hang up is a wrong row, and the next one is tried. */
  async function asked(method, path, headers, body) {
    for (let tries = 1; ; tries++) {
      try {
        const response = await fetch(`${url}${path}`, { method, headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) })
        const { status } = response
        const answer = await response.json()
        const mayComeAgain = (status === 503 || status === 429) && answer.retryAfterS !== undefined
        if (!mayComeAgain || tries === MAX_TRIES) return { status, code: answer.code, body: answer }
        await sleep(1000 * answer.retryAfterS)
      } catch (error) {
        return { failed: `no answer: ${error.cause?.code ?? error.message}` }
      }
    }
  }
}

function formOf(bytes) {
  const form = new FormData()
  form.set('image', new Blob([bytes]), 'picture')
  return form
}
