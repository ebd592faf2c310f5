/** State in memory, the kind that a restart loses. */
let visits = 0;

export function countVisit(): number {
  visits += 1;
  return visits;
}
