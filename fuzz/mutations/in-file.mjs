// Makes one mutation of each pair of texts: one that occurs once in the file, and its replacement. A third text says why no test can notice it.

export function inFile(file, mutations, tests) {
  return mutations.map(([from, to, survives]) => ({ file, from, to, survives, tests }))
}

export const kernel = (file, mutations) => inFile(`packages/core/src/search/kernel/${file}.ts`, mutations)
export const typescript = (file, mutations) => inFile(`packages/core/src/search/${file}.ts`, mutations)
