// Pictures that this NGO might vouch for: of cases that it opened for somebody, or that name it as contact.

import type { Api } from '../api.js'
import { Paged } from '../paged.js'
import { Sure } from '../parts.js'
import { sayMoment, sayName } from '../words.js'

interface WaitingSignal {
  readonly signalId: string
  readonly matchId: string
  readonly caseId: string
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

export function Attestations({ api }: { api: Api }) {
  const vouch = async (matchId: string, reload: () => Promise<void>) => {
    const outcome = await api.send('POST', `/v1/matches/${matchId}/attestation`)
    await reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  return (
    <>
      <p class="hint">
        Whoever vouches says: we know whom this picture shows, and that she did not agree. The report of her case names each
        picture by the first eight characters of its signal.
      </p>
      <Paged<Answer, WaitingSignal>
        api={api}
        path={(after) => `/v1/attestations/waiting?limit=200${after === undefined ? '' : `&after=${after}`}`}
        rowsOf={({ signals }) => signals}
        nextOf={({ next }) => next ?? undefined}
        caption="Pictures that wait, case by case"
        name="attestations"
        empty="Nothing waits for you to vouch for it."
        keyOf={({ signalId }) => signalId}
        columns={[
          { title: 'Signal', value: ({ signalId }) => signalId, cell: ({ signalId }) => <code>{signalId}</code> },
          { title: 'Case', value: ({ caseId }) => caseId, cell: ({ caseId }) => <code>{caseId}</code> },
          { title: 'Yours, because', value: ({ because }) => (because === 'opened' ? 'you opened it' : 'it names you') },
          { title: 'Shows', value: ({ category }) => sayName(category) },
          { title: 'Tier', value: ({ tier }) => sayName(tier) },
          { title: 'Disputed', value: ({ disputed }) => (disputed ? 'yes' : 'no') },
          { title: 'Since', value: ({ registeredAt }) => registeredAt, cell: ({ registeredAt }) => sayMoment(registeredAt) },
        ]}
        actions={({ matchId }, reload) => (
          <Sure label="Vouch for it" question="Vouch for this picture?" act={() => vouch(matchId, reload)} />
        )}
      />
    </>
  )
}
