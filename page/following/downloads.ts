// Files that the submitter can save: a signed report for the police, a signed receipt, and everything that is stored of the case. `draw` is called
// before any of their buttons is shown.

import { REPORT_FORMATS } from '../../src/domain/cases/report-format.js'
import { type Access, api, type CaseFile } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { type Said, say } from '../messages.js'
import { save } from '../save.js'
import type { Failure } from '../sending/requests.js'
import { requestUntilAnswered } from './case-requests.js'

export interface DownloadsContext {
  readonly access: () => Access | undefined
  readonly onFailure: (failure: Failure) => void
}

export function createDownloads({ access, onFailure }: DownloadsContext): { readonly draw: (file: CaseFile) => void } {
  let caseFile: CaseFile | undefined
  onClick('save-receipt', () => saveJson(caseFile?.receipt))
  onClick('save-all', () => void saveAll())
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-report]'))
    button.addEventListener('click', () => void downloadReport(button))

  return {
    draw(current) {
      caseFile = current
      one('receipt', HTMLElement).hidden = current.receipt === null
    },
  }

  async function downloadReport(button: HTMLButtonElement): Promise<void> {
    const accessThen = access()
    if (accessThen === undefined) return
    const format = REPORT_FORMATS.find((known) => known === button.dataset['report']) ?? 'pdf'
    tell(say('run.case.making'))
    const answer = await requestUntilAnswered({
      buttons: [button],
      errorId: 'papers-error',
      send: () => api.report(accessThen, format, one('report-language', HTMLSelectElement).value),
      isWanted: () => access() === accessThen,
    })
    if (answer === undefined) return
    setText('papers-said', '')
    if ('failure' in answer) return onFailure(answer.failure)
    save(answer.value, format)
    tell(say('run.case.saved'))
  }

  /** With the hashes if the case was opened with the recovery code. */
  async function saveAll(): Promise<void> {
    const [accessThen, file] = [access(), caseFile]
    if (accessThen === undefined || file === undefined) return
    const answer = await requestUntilAnswered({
      buttons: [one('save-all', HTMLButtonElement)],
      errorId: 'papers-error',
      send: () => api.hashes(accessThen),
      isWanted: () => access() === accessThen,
      isReadOnly: true,
    })
    if (answer === undefined) return
    if ('value' in answer) {
      const text = JSON.stringify(file, null, 2)
      save(new Blob([text.slice(0, -2), ',\n  "heldHashes": ', answer.value, '\n}\n'], { type: 'application/json' }), 'json')
      return tell(say('run.case.saved'))
    }
    const { failure } = answer
    if (failure.kind !== 'rejected' || failure.code !== 'recovery-code-needed') return onFailure(failure)
    saveJson(file)
    tell(say('run.case.savedByPin'))
  }

  /** Beside the buttons: a message at the top of the page is out of sight on a phone. */
  function tell(text: Said): void {
    setText('papers-said', text)
    announce(text)
  }

  function saveJson(value: unknown): void {
    save(new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' }), 'json')
    announce(say('run.case.saved'))
  }
}
