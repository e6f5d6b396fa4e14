// The banks that the organisation may write to, and the choice of one.

import type { ComponentChildren } from 'preact'
import type { Api } from './ask-api.js'
import { Shown } from './components.js'
import { useWholeList } from './load.js'

interface Bank {
  readonly bank: string
  readonly own: boolean
}

export interface OwnBanksProps {
  readonly api: Api
  readonly children: (banks: readonly string[], first: string) => ComponentChildren
}

export function OwnBanks({ api, children }: OwnBanksProps) {
  const loaded = useWholeList<Bank, 'banks'>(api, '/v1/banks', 'banks')
  return (
    <Shown loaded={loaded}>
      {({ banks }) => {
        const own = banks.filter((bank) => bank.own).map(({ bank }) => bank)
        const [first] = own
        return first === undefined ? <p class="hint">Create a bank of your own first.</p> : children(own, first)
      }}
    </Shown>
  )
}

export interface BankChoiceProps {
  readonly bank: string
  readonly banks: readonly string[]
  readonly setBank: (bank: string) => void
  readonly isRunning: boolean
}

export function BankChoice({ bank, banks, setBank, isRunning }: BankChoiceProps) {
  return (
    <label>
      Into{' '}
      <select name="bank" disabled={isRunning} value={bank} onChange={({ currentTarget }) => setBank(currentTarget.value)}>
        {banks.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}
