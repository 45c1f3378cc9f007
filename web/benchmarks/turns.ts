/** Candidates are timed by turns (A B A B …), so that other load falls on all of them. */

/** Return name → times of a candidate, one for each round after a first one, which warms up. */
export async function byTurns(
  candidates: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, candidate] of Object.entries(candidates)) {
      const time = await candidate();
      if (round > 0) {
        times[name] = [...(times[name] ?? []), time];
      }
    }
  }
  return times;
}

/** Return the mean time of some calls, in ms. */
export async function timeOf(call: () => Promise<unknown>, calls: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i += 1) {
    await call();
  }
  return (performance.now() - start) / calls;
}
