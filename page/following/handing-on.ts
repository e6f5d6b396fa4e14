// Hands her new case on to the page of the case, so that she need not type number and PIN.
//
// What is handed on lies in the tab's storage from her press until the other page reads it, which deletes it. It opens the case, so it is a secret, and a
// slow load may let the browser write it to its files. Therefore it is a token by PIN, which ends within hours and neither ends the case nor takes it over:
// not the token of the opening, which may do both, and no number with PIN. The other ways are worse: an address stays in the history, a new tab
// is missed by the quick exit, and `window.name` can be read and set by other sites.

import type { Access } from '../api.js'

const KEY = 'handed-on'

export function handOn({ caseNumber, token }: Access): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ caseNumber, token }))
  } catch {
    // Blocked, or no room: she types number and PIN.
  }
}

/** Every page calls it when it loads: what is not read by its page is gone. @returns what was handed on, once. */
export function takeHandedOn(): Access | undefined {
  try {
    const text = sessionStorage.getItem(KEY)
    sessionStorage.removeItem(KEY)
    const access: unknown = JSON.parse(text ?? 'null')
    return isAccess(access) ? access : undefined
  } catch {
    return undefined
  }
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null || !('caseNumber' in value) || !('token' in value)) return false
  return typeof value.caseNumber === 'string' && typeof value.token === 'string'
}
