// The case number and the PIN: shown, and on request copied, saved as a file or printed. The page itself stores neither.

import { announce, onClick, setText } from './dom.js'
import { secretsAreShown } from './leaving.js'
import { say } from './messages.js'
import { save } from './save.js'

export interface NumberAndPin {
  readonly caseNumber: string
  /** null: the recovery code alone opens the case. */
  readonly pin: string | null
  readonly recoveryCode: string
}

export function showNumber(opened: NumberAndPin): void {
  setText('number', opened.caseNumber)
  setText('pin', opened.pin ?? '')
  setText('recovery-code', inGroups(opened.recoveryCode))
  secretsAreShown(true)
  offerToKeep(() => opened)
}

/** @param shown what is shown when a button is pressed. */
export function offerToKeep(shown: () => NumberAndPin): void {
  setText('address', addressOfCase())
  onClick('print', () => print())
  onClick('save', () => save(new Blob([noteOf(shown())], { type: 'text/plain' }), 'txt'))
  onClick('copy', () => void copy())

  async function copy(): Promise<void> {
    const text = say((await isCopied(noteOf(shown()))) ? 'run.copied' : 'run.notCopied')
    setText('kept', text)
    announce(text)
  }
}

/** Sixteen digits as they are on a bank card. */
export function inGroups(recoveryCode: string): string {
  return recoveryCode.replaceAll(/\d{4}(?=\d)/g, '$& ')
}

function noteOf({ caseNumber, pin, recoveryCode }: NumberAndPin): string {
  const code = inGroups(recoveryCode)
  return say('run.saveFile', { number: caseNumber, pin: pin ?? '–', code, address: addressOfCase() })()
}

function addressOfCase(): string {
  return new URL('case', location.href).href
}

async function isCopied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return isCopiedBySelecting(text)
  }
}

/** Without TLS, pages have no clipboard API, but can copy selected text. */
function isCopiedBySelecting(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'unseen'
  document.body.append(area)
  area.select()
  const isDone = document.execCommand('copy')
  area.remove()
  document.getElementById('copy')?.focus()
  return isDone
}
