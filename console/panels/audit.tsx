// The audit log, newest act first; and events that need attention.

import { imageReference } from '../../packages/core/src/ids.js'
import type { Api } from '../ask-api.js'
import { ConfirmButton, Shown } from '../components.js'
import { sayMoment } from '../formats.js'
import { useLoaded, useWholeList } from '../load.js'
import { Paged } from '../paged.js'
import { Table } from '../sorted-table.js'

interface Entry {
  readonly number: number
  readonly at: string
  readonly act: string
  readonly by: string
  readonly about: Readonly<Record<string, string>>
}

const A_PAGE = 500

export function AuditTrail({ api }: { api: Api }) {
  return (
    <>
      <Paged<{ readonly entries: readonly Entry[] }, Entry>
        api={api}
        path={(before) => `/v1/audit?limit=${A_PAGE}${before === undefined ? '' : `&before=${before}`}`}
        rowsOf={({ entries }) => entries}
        nextOf={({ entries }) => olderThan(entries.at(-1))}
        ways={['Older', 'The last ones']}
        caption="Acts, the last first"
        name="audit"
        keyOf={({ number }) => String(number)}
        columns={[
          { title: 'Number', value: ({ number }) => number },
          { title: 'When', value: ({ at }) => at, cell: ({ at }) => sayMoment(at) },
          { title: 'Act', value: ({ act }) => act },
          { title: 'By', value: ({ by }) => withReferences(by) },
          { title: 'About', value: ({ about }) => aboutText(about) },
        ]}
      />
      <p class="hint">To check that the log is complete, run tabir audit verify: it does not rely on this server.</p>
    </>
  )
}

function olderThan(entry: Entry | undefined): string | undefined {
  return entry === undefined || entry.number <= 1 ? undefined : String(entry.number)
}

interface DomainEvent {
  readonly id: string
  readonly kind: string
  readonly at: string
  readonly about: Readonly<Record<string, string>>
}
interface Account {
  readonly account: string
  readonly strikes: number
  readonly lastAt: string
  readonly suspended: boolean
}

/** Events that need attention, and accounts whose reports were judged false. */
export function Watch({ api }: { api: Api }) {
  const events = useLoaded<{ readonly events: readonly DomainEvent[] }>(api, '/v1/events?limit=1000')
  const strikes = useWholeList<Account, 'accounts'>(api, '/v1/strikes', 'accounts')
  const forgive = async (account: string) => {
    const outcome = await api.send('DELETE', `/v1/strikes/${encodeURIComponent(account)}`)
    await strikes.reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  return (
    <>
      <Shown loaded={events}>
        {({ events: all }) => (
          <Table
            caption="What happened that wants looking at, the first 1,000 that are kept"
            name="events"
            empty="Nothing needs your attention."
            rows={all.toReversed()}
            keyOf={({ id }) => id}
            columns={[
              { title: 'When', value: ({ at }) => at, cell: ({ at }) => sayMoment(at) },
              { title: 'What', value: ({ kind }) => kind },
              { title: 'About', value: ({ about }) => aboutText(about) },
            ]}
          />
        )}
      </Shown>
      <Shown loaded={strikes}>
        {({ accounts }) => (
          <Table
            caption="Accounts whose reports were judged false"
            name="strikes"
            empty="No account has a strike."
            rows={accounts}
            keyOf={({ account }) => account}
            columns={[
              { title: 'Account', value: ({ account }) => withReferences(account) },
              { title: 'Strikes', value: ({ strikes: count }) => count },
              { title: 'Last', value: ({ lastAt }) => lastAt, cell: ({ lastAt }) => sayMoment(lastAt) },
              { title: 'Suspended', value: ({ suspended }) => (suspended ? 'yes' : 'no') },
            ]}
            actions={({ account }) => (
              <ConfirmButton label="Forgive" question="Remove all strikes of this account?" act={() => forgive(account)} />
            )}
          />
        )}
      </Shown>
    </>
  )
}

function aboutText(about: Readonly<Record<string, string>>): string {
  return Object.entries(about)
    .map(([name, value]) => {
      const isPicture = PICTURE_FIELDS.includes(name)
      return `${isPicture ? 'picture' : name} ${isPicture ? value.replace(UUID, imageReference) : withReferences(value)}`
    })
    .join(', ')
}

const PICTURE_FIELDS = ['signalId', 'imageId', 'image']
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** Of a case. */
const LONG_HEX = /\b[0-9a-f]{32}\b/g

/** Shortens ids to their last digits, which are enough to tell rows apart. `tabir audit list` shows them whole. */
function withReferences(text: string): string {
  return text.replace(UUID, lastDigits).replace(LONG_HEX, lastDigits)
}

function lastDigits(id: string): string {
  return id.slice(-8).toUpperCase()
}
