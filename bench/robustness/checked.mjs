// Counts of verified candidates.

/**
 * `pairs`: queries with each registered picture that they do not show; `wrong`: candidates of those that a vote let through; `forced`: others that
 * were looked at all the same; `accepted`: which of the first were shown.
 */
export function emptyChecked() {
  const counts = { queries: 0, pairs: 0, wrong: 0, falseAccepts: 0, falseAcceptsAsked: 0, forced: 0, forcedAccepts: 0 }
  return { ...counts, forcedInliers: [], accepted: [], lookedMs: 0, searchedMs: 0 }
}

export function addTo(checked, more) {
  for (const [name, value] of Object.entries(more)) checked[name] += value
}
