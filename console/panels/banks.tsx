// The banks that this key may know of, and a new one.

import { useState } from 'preact/hooks'
import type { Api } from '../ask-api.js'
import { Shown } from '../components.js'
import { sayMoment } from '../formats.js'
import { useWholeList } from '../load.js'
import { Table } from '../sorted-table.js'

interface Bank {
  readonly bank: string
  readonly purpose: string
  readonly own: boolean
  readonly thresholdBits: Readonly<Record<string, number>>
  readonly createdAt: string | null
}

export function Banks({ api }: { api: Api }) {
  const loaded = useWholeList<Bank, 'banks'>(api, '/v1/banks', 'banks')
  const [problem, setProblem] = useState<string>()
  const add = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement)) return
    const outcome = await api.send('POST', '/v1/banks', { name: new FormData(form).get('name') })
    setProblem('problem' in outcome ? outcome.problem : undefined)
    if ('problem' in outcome) return
    form.reset()
    await loaded.reload()
  }
  return (
    <>
      <Shown loaded={loaded}>
        {({ banks }) => (
          <Table
            caption="Banks"
            name="banks"
            rows={banks}
            keyOf={({ bank }) => bank}
            columns={[
              { title: 'Bank', value: ({ bank }) => bank },
              { title: 'For', value: ({ purpose }) => purpose },
              { title: 'Yours', value: ({ own }) => (own ? 'yes' : 'no') },
              { title: 'Own thresholds, bits', value: ({ thresholdBits }) => thresholdsOf(thresholdBits) },
              {
                title: 'Since',
                value: ({ createdAt }) => createdAt ?? undefined,
                cell: ({ createdAt }) => sayMoment(createdAt),
              },
            ]}
          />
        )}
      </Shown>
      <form class="card" onSubmit={(event) => void add(event)}>
        <h2>New bank</h2>
        <label>
          Name <input name="name" required autocomplete="off" maxlength={63} pattern="[A-Za-z0-9_\-]+" />
        </label>
        <p class="hint">Letters, digits, _ and -, at most 63.</p>
        {problem !== undefined && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <button type="submit">Create bank</button>
      </form>
    </>
  )
}

function thresholdsOf(bits: Bank['thresholdBits']): string {
  const texts = Object.entries(bits).map(([type, value]) => `${type} ${value}`)
  return texts.length === 0 ? 'none' : texts.join(', ')
}
