// Signals with an open dispute, to decide, and signals in quarantine, to release.

import { imageReference } from '../../packages/core/src/ids.js'
import type { Api } from '../ask-api.js'
import { ConfirmButton, Shown } from '../components.js'
import { sayMoment, sayName, sayNumber } from '../formats.js'
import { type Loaded, useLoaded } from '../load.js'
import { type Column, Table } from '../sorted-table.js'

interface Judged {
  readonly signalId: string
  readonly bank: string
  readonly durationS?: number
  readonly tier: string
  readonly category: string | null
  readonly circulation: string
  readonly heldFor: string | null
  readonly heldAt: string | null
  readonly disputedAt: string | null
  readonly answer: string | null
  /** Signals of other cases with this picture; `null` if not known now. */
  readonly otherEntries: readonly string[] | null
  readonly dispute: { readonly state: string; readonly reasons: readonly string[] }
  readonly provenance: {
    readonly attestations: number
    readonly verifications: number
    readonly confirmations: number
    readonly notBlocked: number
  }
}
interface Listed {
  readonly signals: readonly Judged[]
}

const ABOUT: readonly Column<Judged>[] = [
  {
    title: 'Picture or video',
    value: ({ signalId }) => imageReference(signalId),
    cell: ({ signalId }) => <span class="whole">{imageReference(signalId)}</span>,
  },
  {
    title: 'Kind',
    value: ({ durationS = 0 }) => durationS,
    cell: ({ durationS }) => (durationS === undefined ? 'picture' : `video, ${sayNumber(durationS)} s`),
  },
  { title: 'Bank', value: ({ bank }) => bank },
  { title: 'Tier', value: ({ tier }) => sayName(tier) },
  { title: 'Shows', value: ({ category }) => sayName(category) },
  { title: 'Blocked by', value: ({ provenance }) => provenance.confirmations },
  { title: 'Left up by', value: ({ provenance }) => provenance.notBlocked },
  { title: 'Attested by', value: ({ provenance }) => provenance.attestations },
  {
    title: 'Also in other cases',
    value: ({ otherEntries }) => otherEntries?.length ?? -1,
    cell: ({ otherEntries }) => (otherEntries === null ? 'not known' : otherEntries.map(imageReference).join(', ') || 'no'),
  },
]

export function Disputes({ api }: { api: Api }) {
  const disputes = useLoaded<Listed>(api, '/v1/disputes?limit=1000')
  const quarantine = useLoaded<Listed>(api, '/v1/quarantine?limit=1000')
  const act = async (method: 'POST' | 'DELETE', path: string, body?: unknown) => {
    const outcome = await api.send(method, path, body)
    await Promise.all([disputes.reload(), quarantine.reload()])
    return 'problem' in outcome ? outcome.problem : undefined
  }
  const decide = (signalId: string, outcome: 'upheld' | 'rejected') =>
    act('POST', `/v1/signals/${signalId}/dispute/decision`, { outcome })

  return (
    <>
      <Waiting
        loaded={disputes}
        caption="Disputes to decide, those that wait longest first"
        name="disputes"
        empty="No dispute waits for a decision."
        columns={[
          ...ABOUT,
          { title: 'Because', value: ({ dispute }) => dispute.reasons.map(sayName).join(', ') },
          {
            title: 'Their answer',
            value: ({ answer }) => (answer === null ? 'none' : sayName(answer)),
          },
          {
            title: 'Since',
            value: ({ disputedAt }) => disputedAt ?? undefined,
            cell: ({ disputedAt }) => sayMoment(disputedAt),
          },
        ]}
        actions={({ signalId }) => (
          <>
            <ConfirmButton
              label="Keep protecting"
              question="Reject the dispute? It stays protected."
              act={() => decide(signalId, 'rejected')}
            />
            <ConfirmButton
              label="Remove protection"
              question="Uphold the dispute? This entry stops matching for good; the same picture of other cases goes on. Its account gets a strike, unless it was added by mistake."
              isGrave
              act={() => decide(signalId, 'upheld')}
            />
          </>
        )}
      />
      <Waiting
        loaded={quarantine}
        caption="Quarantine: matching nothing, copies alone, or without some views"
        name="quarantine"
        empty="Nothing is in quarantine."
        columns={[
          ...ABOUT,
          { title: 'Held for', value: ({ heldFor }) => sayName(heldFor) },
          { title: 'Since', value: ({ heldAt }) => heldAt ?? undefined, cell: ({ heldAt }) => sayMoment(heldAt) },
        ]}
        actions={({ signalId }) => (
          <ConfirmButton
            label="Protect again"
            question="Let it match again?"
            act={() => act('DELETE', `/v1/signals/${signalId}/quarantine`)}
          />
        )}
      />
    </>
  )
}

interface WaitingProps extends Omit<Parameters<typeof Table<Judged>>[0], 'rows' | 'keyOf'> {
  readonly loaded: Loaded<Listed>
}

function Waiting({ loaded, ...table }: WaitingProps) {
  return (
    <Shown loaded={loaded}>{({ signals }) => <Table {...table} rows={signals} keyOf={({ signalId }) => signalId} />}</Shown>
  )
}
