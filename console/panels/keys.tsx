// API keys: list, create, rotate, revoke and restore them.

import { useState } from 'preact/hooks'
import { ORG_KINDS, SCOPES } from '../../src/domain/organisations/access.js'
import type { Api } from '../ask-api.js'
import { ConfirmButton, Shown } from '../components.js'
import { sayMoment } from '../formats.js'
import { useWholeList } from '../load.js'
import { Table } from '../sorted-table.js'

interface Key {
  readonly keyId: string
  readonly org: string
  readonly kind: string
  readonly scopes: readonly string[]
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly suspendedAt: string | null
  readonly networks: readonly string[] | null
  readonly lastUsedOn: string | null
}
interface Made {
  readonly keyId: string
  readonly key: string
}

const DAY_MS = 86_400_000

type Act = (path: string) => Promise<string | undefined>
type Make = (path: string, body: object) => Promise<string | undefined>

export function Keys({ api }: { api: Api }) {
  const loaded = useWholeList<Key, 'keys'>(api, '/v1/keys', 'keys')
  const [made, setMade] = useState<Made>()

  const end: Act = async (path) => {
    const outcome = await api.send('DELETE', path)
    await loaded.reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }
  const make: Make = async (path, body) => {
    const outcome = await api.send<Made>('POST', path, body)
    if ('value' in outcome) setMade(outcome.value)
    await loaded.reload()
    return 'problem' in outcome ? outcome.problem : undefined
  }

  return (
    <>
      {made !== undefined && <MadeKey secret={made.key} onDone={() => setMade(undefined)} />}
      <Shown loaded={loaded}>{({ keys }) => <KeyTable keys={keys} end={end} make={make} />}</Shown>
      <NewKeyForm make={make} nowMs={api.nowMs} />
    </>
  )
}

function MadeKey({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <section class="card" role="status">
      <h2>The new key</h2>
      <p>It is shown only once. Send it to its holder through a channel that nobody else can read.</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <button type="button" class="small quiet" onClick={onDone}>
        I have handed it on
      </button>
    </section>
  )
}

function KeyTable({ keys, end, make }: { keys: readonly Key[]; end: Act; make: Make }) {
  return (
    <Table
      caption="API keys, newest first"
      name="keys"
      rows={keys}
      keyOf={({ keyId }) => keyId}
      columns={[
        { title: 'Key', value: ({ keyId }) => keyId, cell: ({ keyId }) => <code>{keyId}</code> },
        { title: 'Organisation', value: ({ org }) => org },
        { title: 'Kind', value: ({ kind }) => kind },
        { title: 'Permissions', value: ({ scopes }) => scopes.join(', ') },
        { title: 'From', value: ({ networks }) => networks?.join(', ') ?? 'everywhere' },
        { title: 'Created', value: ({ createdAt }) => createdAt, cell: ({ createdAt }) => sayMoment(createdAt) },
        {
          title: 'Expires',
          value: ({ expiresAt }) => expiresAt ?? undefined,
          cell: ({ expiresAt }) => sayMoment(expiresAt),
        },
        { title: 'Last used', value: ({ lastUsedOn }) => lastUsedOn ?? undefined },
        { title: 'State', value: ({ suspendedAt }) => (suspendedAt === null ? 'active' : 'suspended') },
      ]}
      actions={({ keyId, suspendedAt }) => (
        <>
          {suspendedAt !== null && (
            <ConfirmButton
              label="Restore"
              question="Make this key active again?"
              act={() => end(`/v1/keys/${keyId}/suspension`)}
            />
          )}
          <ConfirmButton
            label="Rotate"
            question="Create a key to replace it? The old one stays active for another week."
            act={() => make(`/v1/keys/${keyId}/rotation`, {})}
          />
          <ConfirmButton
            label="End"
            question="Revoke this key? It stops working at once. If it is your own, you are signed out."
            isGrave
            act={() => end(`/v1/keys/${keyId}`)}
          />
        </>
      )}
    />
  )
}

function NewKeyForm({ make, nowMs }: { make: Make; nowMs: () => number }) {
  const [problem, setProblem] = useState<string>()
  const create = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement)) return
    const given = new FormData(form)
    const days = given.get('days')
    const networks = String(given.get('networks') ?? '')
      .split(/[\s,]+/)
      .filter((network) => network !== '')
    const why = await make('/v1/keys', {
      ...{ org: given.get('org'), kind: given.get('kind'), scopes: given.getAll('scopes') },
      ...(days !== '' && { expiresAt: new Date(nowMs() + Number(days) * DAY_MS).toISOString() }),
      ...(networks.length > 0 && { networks }),
    })
    setProblem(why)
    if (why === undefined) form.reset()
  }

  return (
    <form class="card" onSubmit={(event) => void create(event)}>
      <h2>New key</h2>
      <div class="fields">
        <label>
          Organisation <input name="org" required maxlength={255} autocomplete="off" />
        </label>
        <label>
          Kind{' '}
          <select name="kind">
            {ORG_KINDS.map((kind) => (
              <option key={kind}>{kind}</option>
            ))}
          </select>
        </label>
        <label>
          Expires after days <input name="days" type="number" min="1" max="36500" placeholder="never" />
        </label>
        <label>
          Networks <input name="networks" autocomplete="off" placeholder="everywhere" />
        </label>
      </div>
      <fieldset>
        <legend>Permissions</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="check">
            <input type="checkbox" name="scopes" value={scope} /> {scope}
          </label>
        ))}
      </fieldset>
      {problem !== undefined && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      <button type="submit">Create key</button>
    </form>
  )
}
