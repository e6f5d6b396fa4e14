// Webhooks of this organisation and their deliveries. A delivery that was given up can be sent again.

import { useState } from 'preact/hooks'
import type { Api } from '../ask-api.js'
import { ConfirmButton, Shown } from '../components.js'
import { sayMoment } from '../formats.js'
import { useLoaded } from '../load.js'
import { Paged } from '../paged.js'
import { Table } from '../sorted-table.js'

interface Webhook {
  readonly webhookId: string
  readonly url: string
  readonly events: readonly string[]
  readonly enabled: boolean
  readonly failures: number
  readonly failingSince: string | null
}
interface Delivery {
  readonly deliveryId: string
  readonly type: string
  readonly state: string
  readonly createdAt: string
  readonly attempts: number
  readonly lastAttemptAt: string | null
  readonly nextAttemptAt: string | null
  readonly status: number | null
  readonly failure: string | null
}

export function Webhooks({ api }: { api: Api }) {
  const loaded = useLoaded<{ readonly webhooks: readonly Webhook[] }>(api, '/v1/webhooks')
  const [shown, setShown] = useState<string>()
  const act = async (method: 'POST' | 'PATCH', path: string, body?: unknown) => {
    const outcome = await api.send(method, path, body)
    await loaded.reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  return (
    <>
      <Shown loaded={loaded}>
        {({ webhooks }) => (
          <Table
            caption="Webhooks"
            name="webhooks"
            empty="No webhooks yet. Add one with POST /v1/webhooks; its secret is shown only once."
            rows={webhooks}
            keyOf={({ webhookId }) => webhookId}
            columns={[
              { title: 'To', value: ({ url }) => url },
              { title: 'Of', value: ({ events }) => events.join(', ') },
              { title: 'State', value: stateOf },
              {
                title: 'Failing since',
                value: ({ failingSince }) => failingSince ?? undefined,
                cell: ({ failingSince }) => sayMoment(failingSince),
              },
            ]}
            actions={({ webhookId, enabled }) => (
              <>
                <button type="button" class="small" onClick={() => setShown(webhookId)}>
                  Messages
                </button>
                <ConfirmButton
                  label="Test"
                  question="Send a test message?"
                  act={() => act('POST', `/v1/webhooks/${webhookId}/ping`)}
                />
                <ConfirmButton
                  label={enabled ? 'Switch off' : 'Switch on'}
                  question={enabled ? 'Note nothing new for it?' : 'Send what waits, and what is to come?'}
                  act={() => act('PATCH', `/v1/webhooks/${webhookId}`, { enabled: !enabled })}
                />
              </>
            )}
          />
        )}
      </Shown>
      {shown !== undefined && <Deliveries key={shown} api={api} path={`/v1/webhooks/${shown}/deliveries`} />}
    </>
  )
}

function Deliveries({ api, path }: { api: Api; path: string }) {
  const replay = async (deliveryId: string, reload: () => Promise<void>) => {
    const outcome = await api.send('POST', `${path}/${deliveryId}/replay`)
    await reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  return (
    <Paged<{ readonly deliveries: readonly Delivery[] }, Delivery>
      api={api}
      path={() => `${path}?limit=500`}
      rowsOf={({ deliveries }) => deliveries}
      caption="Messages of this webhook"
      name="deliveries"
      empty="No deliveries yet."
      keyOf={({ deliveryId }) => deliveryId}
      columns={[
        { title: 'Of', value: ({ type }) => type },
        { title: 'State', value: ({ state }) => state },
        { title: 'Made', value: ({ createdAt }) => createdAt, cell: ({ createdAt }) => sayMoment(createdAt) },
        { title: 'Attempts', value: ({ attempts }) => attempts },
        {
          title: 'Last attempt',
          value: ({ lastAttemptAt }) => lastAttemptAt ?? undefined,
          cell: ({ lastAttemptAt }) => sayMoment(lastAttemptAt),
        },
        {
          title: 'Next attempt',
          value: ({ nextAttemptAt }) => nextAttemptAt ?? undefined,
          cell: ({ nextAttemptAt }) => sayMoment(nextAttemptAt),
        },
        { title: 'Answer', value: ({ status, failure }) => failure ?? status ?? undefined },
      ]}
      actions={({ deliveryId }, reload) => (
        <ConfirmButton label="Send again" question="Send this delivery again?" act={() => replay(deliveryId, reload)} />
      )}
    />
  )
}

function stateOf({ enabled, failures }: Webhook): string {
  if (!enabled) return 'off'
  if (failures === 0) return 'works'
  return failures === 1 ? 'failed once' : `failed ${failures} times in a row`
}
