// The figures as a table.

/** Each query counts once, by its surest grade. */
export function table({ groups, recall, recallLost }) {
  const rows = Object.entries(groups).map(([name, group]) => [
    name,
    group.queries,
    gradesOf(group),
    group.details === undefined ? '' : gradesOf(group.details),
    Object.entries(group.by)
      .map(([decider, pairs]) => `${decider} ${pairs}`)
      .join(', '),
    blockedAmong(group.refused),
  ])
  const head = ['group', 'queries', 'flagged (exact strong near)', 'with details', 'pairs by what decided', 'refused']
  return [columns([head, ...rows]), ...copyLines(groups), ...recallLines(recall, recallLost)].join('\n')
}

function gradesOf({ flagged, exact, strong, near }) {
  return flagged === 0 ? '0' : `${flagged} (${exact} ${strong} ${near})`
}

function blockedAmong({ registered, asked }) {
  const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0)
  const [held, questions] = [sum(registered), sum(asked)]
  return held + questions === 0 ? '' : `${held} registered, ${questions} asked`
}

function copyLines(groups) {
  const lines = Object.entries(groups).flatMap(([name, { copies }]) => {
    if (copies === undefined) return []
    const { number, copyOfOriginal, originalOfCopy, details } = copies
    const more = details === undefined ? '' : `; with details ${details.copyOfOriginal} and ${details.originalOfCopy}`
    return [`  ${name}: ${copyOfOriginal} of ${number} by the photograph, ${originalOfCopy} the other way round${more}`]
  })
  return lines.length === 0 ? [] : ['', 'true copies found:', ...lines]
}

function recallLines(recall, lost) {
  if (recall === undefined) return []
  const lines = Object.entries(recall.groups).map(([name, { queries, hashes, details }]) => {
    const more = details === undefined ? '' : `, with details ${details.toFixed(1)} %`
    return `  ${name}: ${hashes.toFixed(1)} % of ${queries}${more}`
  })
  const head = `recall on ${recall.edits} edits of ${recall.photos} photographs, ${recall.foreign} matches of others:`
  return ['', head, ...lines, ...(lost === null ? [] : [`recall lost, at most in any group: ${lost} points`])]
}

function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
