/** The last answer by key: the latest time wins; of equal times, the later one in the list. */
export function latestAnswers<Answer extends { reviewedAt: string }>(
  answers: readonly Answer[],
  keyOf: (answer: Answer) => string,
): Map<string, Answer> {
  const latest = new Map<string, Answer>();
  for (const answer of answers) {
    const known = latest.get(keyOf(answer));
    if (known === undefined || answer.reviewedAt >= known.reviewedAt) latest.set(keyOf(answer), answer);
  }
  return latest;
}
