// The number and the PIN: shown, printed, saved as a file if she wants to. Kept nowhere by the page.

import { onClick, setText } from './dom.js'
import { say } from './messages.js'
import { save } from './save.js'

interface NumberAndPin {
  readonly caseNumber: string
  readonly pin: string
  readonly recoveryCode: string
}

export function keepNumber({ caseNumber, pin, recoveryCode }: NumberAndPin): void {
  setText('number', caseNumber)
  setText('pin', pin)
  setText('recovery-code', inGroups(recoveryCode))
  onClick('print', () => print())
  onClick('save', () => {
    const text = say('run.saveFile', {
      number: caseNumber,
      pin,
      code: inGroups(recoveryCode),
      address: `${location.origin}/case`,
    })
    save(new Blob([text], { type: 'text/plain' }), 'txt')
  })
}

/** Sixteen digits as they are on a bank card. */
export function inGroups(recoveryCode: string): string {
  return recoveryCode.replaceAll(/\d{4}(?=\d)/g, '$& ')
}
