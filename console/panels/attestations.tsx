// Pictures and videos that this NGO can attest: of cases that it opened for somebody, or that name it as contact.

import { useState } from 'preact/hooks'
import { imageReference } from '../../packages/core/src/ids.js'
import { parseCaseNumber } from '../../src/domain/cases/case.js'
import type { Api } from '../ask-api.js'
import { ConfirmButton } from '../components.js'
import { sayMoment, sayName, sayNumber } from '../formats.js'
import { Paged } from '../paged.js'

interface WaitingSignal {
  readonly signalId: string
  readonly matchId: string
  readonly because: string
  readonly category: string | null
  readonly tier: string
  readonly disputed: boolean
  readonly registeredAt: string
}
interface Answer {
  readonly signals: readonly WaitingSignal[]
  readonly next: string | null
}

interface CaseFile {
  readonly images: readonly { readonly imageId: string }[]
}

export function Attestations({ api }: { api: Api }) {
  /** Numbers of cases by image id, of the cases that were typed in. */
  const [numbers, setNumbers] = useState<ReadonlyMap<string, string>>(new Map())
  const [said, setSaid] = useState<string>()
  const attest = async (matchId: string, reload: () => Promise<void>) => {
    const outcome = await api.send('POST', `/v1/matches/${matchId}/attestation`)
    await reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  const find = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    const typed = form instanceof HTMLFormElement ? new FormData(form).get('number') : ''
    const number = parseCaseNumber(String(typed))
    if (number === undefined) return setSaid('A number begins with TBR and has twelve letters and digits after that.')
    const outcome = await api.get<CaseFile>(`/v1/cases/${number}/export`)
    if ('problem' in outcome)
      return setSaid(outcome.status === 404 ? 'You opened no case with this number.' : outcome.problem)
    const ids = outcome.value.images.map(({ imageId }) => imageId)
    setNumbers(new Map([...numbers, ...ids.map((id) => [id, number] as const)]))
    setSaid(
      `${number}: ${ids.length === 1 ? '1 picture or video' : `${sayNumber(ids.length)} pictures or videos`} registered.`,
    )
  }
  return (
    <>
      <p class="hint">
        By attesting a picture or video you state that you know whom it shows, and that this person did not agree. The
        reference is the same as in the report of the case: IMG- and the last eight characters of the signal.
      </p>
      <form class="card" onSubmit={(event) => void find(event)}>
        <label>
          Number of a case that you opened <input name="number" autocomplete="off" placeholder="TBR-" required />
        </label>
        <p class="hint">
          The service keeps no list of case numbers. Type in one that you know, and its pictures and videos are marked with
          it below, until you leave this panel.
        </p>
        {said !== undefined && <p role="status">{said}</p>}
        <button type="submit">Mark them</button>
      </form>
      <Paged<Answer, WaitingSignal>
        api={api}
        path={(after) => `/v1/attestations/waiting?limit=200${after === undefined ? '' : `&after=${after}`}`}
        rowsOf={({ signals }) => signals}
        nextOf={({ next }) => next ?? undefined}
        caption="Pictures and videos that wait, case by case"
        name="attestations"
        empty="No picture or video waits for your attestation."
        keyOf={({ signalId }) => signalId}
        columns={[
          {
            title: 'Picture or video',
            value: ({ signalId }) => imageReference(signalId),
            cell: ({ signalId }) => <span class="whole">{imageReference(signalId)}</span>,
          },
          { title: 'Case', value: ({ signalId }) => numbers.get(signalId) ?? '–' },
          { title: 'Yours, because', value: ({ because }) => (because === 'opened' ? 'you opened it' : 'it names you') },
          { title: 'Shows', value: ({ category }) => sayName(category) },
          { title: 'Tier', value: ({ tier }) => sayName(tier) },
          { title: 'Disputed', value: ({ disputed }) => (disputed ? 'yes' : 'no') },
          { title: 'Since', value: ({ registeredAt }) => registeredAt, cell: ({ registeredAt }) => sayMoment(registeredAt) },
        ]}
        actions={({ matchId }, reload) => (
          <ConfirmButton label="Attest" question="Attest this picture or video?" act={() => attest(matchId, reload)} />
        )}
      />
    </>
  )
}
