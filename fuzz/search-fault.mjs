// One-token faults of the search engine, for fuzz/mutate-search.mjs. Each `from` occurs once in its file.
//
// A fault that has `survives` is not told from the original by any test, and the text says why none could.

export const kernel = (file, mutations) => of(`src/search/kernel/${file}.ts`, mutations)
export const typescript = (file, mutations) => of(`src/search/${file}.ts`, mutations)

function of(file, mutations) {
  return mutations.map(([from, to, survives]) => ({ file, from, to, survives }))
}
