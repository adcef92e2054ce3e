const NEIGHBOURS = 20;
const ROUNDS = 20;

/**
 * Typicality (TypiClust, arXiv 2202.02794): as many clusters (k-means) as images are wanted, at most `most`; images are
 * taken from the clusters in turn, the most typical first: the inverse of the mean distance to the nearest neighbours
 * in the cluster. The scores order the images so.
 *
 * @param vectors one per image, of equal length; here the layout that the judge sees, since there are no
 * self-supervised embeddings
 */
export function typicalityScores(
  ids: readonly string[],
  vectors: readonly Float32Array[],
  count: number,
  random: () => number,
  most = 100,
): Map<string, number> {
  const clusters = kMeans(vectors, Math.min(count, most, vectors.length), random);
  const scores = new Map<string, number>();
  for (const members of clusters) {
    const ranked = members
      .map((index) => ({ index, typicality: typicality(index, members, vectors) }))
      .sort((a, b) => b.typicality - a.typicality || a.index - b.index);
    // Turn by turn; in one turn large clusters come first.
    for (const [turn, { index }] of ranked.entries())
      scores.set(ids[index] as string, -turn + members.length / (vectors.length + 1));
  }
  return scores;
}

function typicality(index: number, members: readonly number[], vectors: readonly Float32Array[]): number {
  const distances = members
    .filter((other) => other !== index)
    .map((other) => Math.sqrt(squared(vectors[index] as Float32Array, vectors[other] as Float32Array)))
    .sort((a, b) => a - b)
    .slice(0, NEIGHBOURS);
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / Math.max(1, distances.length);
  return 1 / (mean + 1e-6);
}

/** Lloyd's algorithm from k-means++ starts; the members of each cluster. */
function kMeans(vectors: readonly Float32Array[], k: number, random: () => number): number[][] {
  const centres = [Float64Array.from(vectors[Math.floor(random() * vectors.length)] ?? [])];
  const nearest = vectors.map((vector) => squared(vector, centres[0] as Float64Array));
  while (centres.length < k) {
    const total = nearest.reduce((sum, distance) => sum + distance, 0);
    let at = random() * total;
    const chosen = nearest.findIndex((distance) => {
      at -= distance;
      return at < 0;
    });
    const centre = Float64Array.from(vectors[Math.max(0, chosen)] as Float32Array);
    centres.push(centre);
    for (const [index, vector] of vectors.entries())
      nearest[index] = Math.min(nearest[index] as number, squared(vector, centre));
  }
  let members: number[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    members = centres.map(() => []);
    for (const [index, vector] of vectors.entries()) {
      const distances = centres.map((centre) => squared(vector, centre));
      members[distances.indexOf(Math.min(...distances))]?.push(index);
    }
    for (const [at, own] of members.entries()) {
      const centre = centres[at] as Float64Array;
      if (own.length === 0) continue;
      centre.fill(0);
      for (const index of own)
        for (const [place, value] of (vectors[index] as Float32Array).entries())
          centre[place] = (centre[place] as number) + value / own.length;
    }
  }
  return members;
}

function squared(a: Float32Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += ((a[at] as number) - (b[at] as number)) ** 2;
  return sum;
}
