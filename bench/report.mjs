// Percentiles and progress lines, shared by benchmarks.

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

/** @returns a function that draws how many of `total` are done; silent without a terminal. */
export function progress(label, total) {
  if (!process.stderr.isTTY) return () => {}
  return (done) => {
    const filled = Math.round((30 * Math.min(done, total)) / total)
    process.stderr.write(
      `\r${label} [${'#'.repeat(filled)}${' '.repeat(30 - filled)}] ${Math.min(done, total)}/${total}${done >= total ? '\n' : ''}`,
    )
  }
}

/**
 * The options of the command line. A wrong one ends the program with its message.
 * @returns {any}
 */
export function optionsOrExit(optionsOf) {
  try {
    return optionsOf(process.argv.slice(2))
  } catch (error) {
    console.error(error.message)
    return process.exit(2)
  }
}
